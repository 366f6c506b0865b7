import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { bodyOf, faultsOf } from './body.ts'
import { ProblemError } from './problem.ts'

const check = Compile(Type.Object({ title: Type.String({ maxLength: 5 }), way: Type.Enum(['north', 'south']), rows: Type.Array(Type.Object({ count: Type.Integer() }, { additionalProperties: false })) }, { additionalProperties: false }))

test('what is wrong with a body is said by its place, three at most, and what would be right', () => {
  const right = { title: 'one', way: 'north', rows: [{ count: 1 }] }
  assert.equal(bodyOf(check, right), right)
  for (const [body, said] of [
    [{ ...right, extra: 1 }, '/ has no field extra'],
    [{ title: 'one' }, '/ lacks way, rows'],
    [{ ...right, way: 'up' }, '/way must be one of "north", "south"'],
    [{ ...right, rows: [{ count: 1 }, { count: '2' }] }, '/rows/1/count must be integer'],
    [{ ...right, title: 'too long' }, '/title must not have more than 5 characters'],
    [7, '/ must be object'],
  ] as const) assert.equal(faultsOf(check, body), said)
  const many = { title: 1, way: 2, rows: [{ count: 'a' }, { count: 'b' }] }
  assert.equal(faultsOf(check, many).split('; ').length, 3)
  assert.throws(() => bodyOf(check, { title: 'one' }), (error) => error instanceof ProblemError && error.code === 'body_invalid' && error.message === '/ lacks way, rows.')
})
