import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { About, DutyOrder, DutyState, Permissions } from './shell.ts'

const schemas = { About, Permissions, DutyOrder, DutyState } as const
const folder = join(import.meta.dirname, '../spec/shell')
const examples = readdirSync(folder).map((name) => ({ name, ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as { readonly about: string; readonly schema: keyof typeof schemas; readonly given: Readonly<Record<string, unknown>> }) }))

test('each thing that passes between page and shell has an example', () => assert.deepEqual([...new Set(examples.map(({ schema }) => schema))].sort(), Object.keys(schemas).sort()))

for (const { name, schema, given } of examples)
  test(`shell: ${name}`, () => {
    assert.deepEqual([...Value.Errors(schemas[schema], given)], [])
    assert.ok(Value.Check(schemas[schema], { ...given, later: 'a field that is added' }), 'what is added breaks nobody')
    for (const field of Object.keys(given)) assert.equal(Value.Check(schemas[schema], Object.fromEntries(Object.entries(given).filter(([each]) => each !== field))), false, `${field} may not be left out`)
  })
