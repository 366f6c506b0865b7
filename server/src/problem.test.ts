import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { problems, type ProblemCode } from '@kawal/contract/problem.ts'
import { answerProblems, ProblemError } from './problem.ts'

async function answerTo(error: Error): Promise<{ status: number; code: string; retry: string | undefined; detail: string }> {
  const app = fastify()
  answerProblems(app)
  app.get('/', () => Promise.reject(error))
  const answer = await app.inject('/')
  await app.close()
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  const { code, detail } = answer.json<{ code: string; detail: string }>()
  return { status: answer.statusCode, code, retry: answer.headers['retry-after'] as string | undefined, detail }
}

test('every code of the catalogue leaves with its status', async () => {
  for (const [code, [status]] of Object.entries(problems)) assert.deepEqual(await answerTo(new ProblemError(code as ProblemCode, 'why')), { status, code, retry: code === 'storage_full' ? '60' : undefined, detail: 'why' })
})

test('a full disk asks for a pause, and a fault of ours tells nothing of its inside', async () => {
  for (const code of ['53100', 'ENOSPC']) {
    const { status, retry } = await answerTo(Object.assign(new Error('no space'), { code }))
    assert.deepEqual([status, retry], [507, '60'])
  }
  for (const code of ['22021', '22P05']) assert.equal((await answerTo(Object.assign(new Error('invalid byte sequence'), { code }))).code, 'body_invalid')
  const fault = await answerTo(new Error('SELECT secret FROM deployment'))
  assert.equal(fault.code, 'fault')
  assert.doesNotMatch(fault.detail, /secret/)
})
