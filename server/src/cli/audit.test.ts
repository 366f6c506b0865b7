import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AuditRow } from '@kawal/contract/audit.ts'
import { commandsIn } from '@kawal/testkit/command.ts'

const { folder, kawal, json } = commandsIn('audit')
interface Key { readonly id: string; readonly key: string; readonly scope: string }

test('keys by command, and every command that changes something in the audit, without its secrets', async () => {
  await json('org', 'add', 'maju-net', '--kind', 'isp', '--name', 'PT Maju Net')
  const { link } = await json<{ link: string }>('org', 'link', 'maju-net', '--name', 'Piket', '--url', 'https://kawal.example')
  const first = await json<Key>('org', 'key', 'maju-net')
  const second = await json<Key>('org', 'key', 'maju-net', '--scope', 'read')
  assert.deepEqual([first.scope, second.scope], ['all', 'read'])
  const third = await kawal('org', 'key', 'maju-net')
  assert.deepEqual([third.code, third.out], [6, ''])
  for (const part of [first.id, second.id, 'two valid keys already', 'kawal org revoke maju-net --key ID']) assert.ok(third.err.includes(part), third.err)
  const crooked = await kawal('org', 'key', 'maju-net', '--scope', 'write')
  assert.deepEqual([crooked.code, /--scope is all or read, not write/.test(crooked.err)], [2, true])
  const listed = await kawal('org', 'keys', 'maju-net')
  assert.match(listed.out, new RegExp(`^${first.id}  all   made .*Z  never used\n${second.id}  read  made .*Z  never used\n$`))
  assert.equal((await kawal('org', 'keys', 'nobody')).code, 3)
  assert.deepEqual(await json('org', 'revoke', 'maju-net', '--key', first.id), { organisation: 'maju-net', key: first.id })
  assert.equal((await kawal('org', 'revoke', 'maju-net', '--key', first.id)).code, 3)
  assert.deepEqual(await json('org', 'revoke', 'maju-net'), { organisation: 'maju-net', keys: 1, links: 1, sessions: 0, passkeys: 0 })
  writeFileSync(join(folder, 'isps.csv'), 'organisation;name;contact;email;phone;level\nlaut-net;PT Laut Net;Piket NOC;;08110000001;1\n')
  await json('org', 'invite', 'isps.csv', '--url', 'https://kawal.example', '--dry-run')
  const { added } = await json<{ added: { link: string; key: string }[] }>('org', 'invite', 'isps.csv', '--url', 'https://kawal.example', '--keys')

  const exported = await kawal('export', 'audit', '--json')
  const rows = exported.out.trimEnd().split('\n').map((line) => JSON.parse(line) as AuditRow).toReversed()
  assert.deepEqual(rows.map((row) => [row.path, row.status]), [
    ['org add maju-net --kind isp --name PT Maju Net', 0], ['org link maju-net --name Piket', 0], ['org key maju-net', 0], ['org key maju-net --scope read', 0], ['org key maju-net', 6], ['org key maju-net --scope write', 2],
    [`org revoke maju-net --key ${first.id}`, 0], [`org revoke maju-net --key ${first.id}`, 3], ['org revoke maju-net', 0], ['org invite isps.csv --keys', 0],
  ])
  assert.deepEqual([...new Set(rows.map((row) => [row.organisation, row.role, row.method, row.name].join()))], [`kawal,system,CLI,${userInfo().username}`])
  for (const secret of [first.key, second.key, link.split('masuk=')[1], added[0]?.link.split('masuk=')[1], added[0]?.key]) assert.ok(secret !== undefined && !exported.out.includes(secret))

  const csv = await kawal('export', 'audit', '--from', rows[8]?.at ?? '', '--to', new Date(Date.parse(rows[9]?.at ?? '')).toISOString())
  assert.deepEqual(csv.out.trimEnd().split('\n').map((line) => line.split(',').slice(9, 11).join()), ['method,path', 'CLI,org revoke maju-net'])
  assert.match(csv.err, /1 rows/)
  assert.equal((await kawal('export', 'audit', '--from', '2029-02-14')).code, 2)
})
