import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openapi, operations } from './openapi.ts'

test('the committed OpenAPI document is the one the operations make', () => {
  const committed: unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'openapi.json'), 'utf8'))
  assert.deepEqual(JSON.parse(JSON.stringify(openapi())), committed, 'run: npm run openapi')
})

test('no two operations share an address or an id', () => {
  const addresses = operations.map((operation) => `${operation.method} ${operation.path}`)
  assert.equal(new Set(addresses).size, addresses.length)
  const document = openapi() as { paths: Record<string, Record<string, { operationId: string }>> }
  const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map((operation) => operation.operationId))
  assert.equal(new Set(ids).size, ids.length)
})
