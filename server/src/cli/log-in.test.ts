import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AuditRow } from '@kawal/contract/audit.ts'
import { commandsIn } from '@kawal/testkit/command.ts'

const { folder, kawal, json } = commandsIn('log-in')

test('an organisation\'s people by command: listed, given another link, ended; and that is in the audit', async () => {
  assert.match((await kawal('org', 'person', 'telkomsel')).out, /^Nobody yet\./)
  await json('org', 'link', 'telkomsel', '--name', 'Ani')
  await json('org', 'link', 'telkomsel', '--name', 'Budi')
  const { people } = await json<{ people: { id: string; name: string; passkeys: number; endedAt: string | null }[] }>('org', 'person', 'telkomsel')
  assert.deepEqual(people.map(({ name, passkeys, endedAt }) => [name, passkeys, endedAt]), [['Ani', 0, null], ['Budi', 0, null]])
  const [ani] = people
  assert.ok((await json<{ link: string }>('org', 'link', 'telkomsel', '--person', ani?.id ?? '')).link.includes('/console/?masuk='))
  assert.equal((await json<{ people: unknown[] }>('org', 'person', 'telkomsel')).people.length, 2, 'nobody new')
  for (const [args, code, said] of [
    [['org', 'link', 'telkomsel', '--person', ani?.id ?? '', '--name', 'Cici'], 2, /--name for somebody new/], [['org', 'link', 'indosat', '--person', ani?.id ?? ''], 3, /nobody of this id/], [['org', 'person', 'indosat', '--end', ani?.id ?? ''], 3, /nobody of this id/],
    [['org', 'person', 'telkomsel', '--end', 'x'], 3, /nobody of this id/], [['org', 'person', 'nobody'], 3, /no organisation nobody/], [['org', 'person'], 2, /missing required argument 'organisation'/],
  ] as const) {
    const ended = await kawal(...args)
    assert.deepEqual([ended.code, said.test(ended.err)], [code, true], ended.err)
  }
  assert.deepEqual(await json('org', 'person', 'telkomsel', '--end', ani?.id ?? ''), { organisation: 'telkomsel', person: ani?.id, passkeys: 0, links: 2, sessions: 0 })
  assert.equal((await kawal('org', 'link', 'telkomsel', '--person', ani?.id ?? '')).code, 3)
  assert.match((await kawal('org', 'person', 'telkomsel')).out, new RegExp(`Budi .*0 passkeys, 0 sessions\n${ani?.id}  Ani .*ended .*Z\n$`))
  const rows = (await kawal('export', 'audit', '--json')).out.trimEnd().split('\n').map((line) => JSON.parse(line) as AuditRow)
  assert.ok(rows.some((row) => row.path === `org person telkomsel --end ${ani?.id}` && row.status === 0) && rows.some((row) => row.path === `org link telkomsel --person ${ani?.id}`))
})

test('serve says what is wrong with its address and its providers before it starts anything', async () => {
  writeFileSync(join(folder, 'crooked.json'), '{"providers": [{"id": "noc"}]}')
  for (const [args, code, said] of [
    [['--oidc', 'crooked.json'], 2, /--url/], [['--oidc', 'crooked.json', '--url', 'https://kawal.example'], 3, /--oidc crooked\.json: \/providers\/0 lacks/], [['--oidc', 'nowhere.json', '--url', 'https://kawal.example'], 3, /cannot be read/], [['--url', 'kawal.example'], 2, /--url takes the address/],
  ] as const) {
    const ended = await kawal('serve', ...args)
    assert.deepEqual([ended.code, said.test(ended.err)], [code, true], ended.err)
  }
})
