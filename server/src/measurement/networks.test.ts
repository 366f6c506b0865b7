import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { addressReader, lookUp, openNetworks } from './networks.ts'

let kit: TestDatabase
let owner: pg.Client
before(async () => {
  kit = await withDatabase()
  owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
})
after(async () => {
  await owner.end()
  await kit.close()
})

const prefixes = fc.array(fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })), fc.tuple(fc.constantFrom('10.0.0.0', '10.1.0.0', '10.1.2.0', '10.1.2.3'), fc.constantFrom(8, 16, 24, 30, 32)),
  fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })), fc.tuple(fc.constantFrom('2001:db8::', '2001:db8:1::', '2001:db8:1:2::'), fc.constantFrom(32, 48, 64, 128)),
), { maxLength: 12 })
const addresses = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.1', '10.1.0.1', '10.1.2.1', '10.1.2.3', '10.1.2.4', '::ffff:10.1.2.3', '2001:db8::1', '2001:db8:1::1', '2001:db8:1:2::1', '255.255.255.255', '0.0.0.0', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'))

test('the most special network that holds an address is its own, as a slow look through all of them finds it', () => {
  fc.assert(fc.property(prefixes, fc.array(addresses, { minLength: 1, maxLength: 10 }), (all, asked) => {
    const networks = all.map(([address, length], order) => ({ prefix: `${address}/${length}`, organisation: `o${order}` }))
    const found = lookUp(networks)
    for (const text of asked) {
      const address = text.startsWith('::ffff:') ? text.slice(7) : text
      let best: { length: number; organisation: string } | null = null
      for (const [order, [prefix, length]] of all.entries()) {
        if (isIP(prefix) !== isIP(address)) continue
        const family = isIP(prefix) === 6 ? 'ipv6' : 'ipv4'
        const list = new BlockList()
        list.addSubnet(prefix, length, family)
        if (list.check(address, family) && length >= (best?.length ?? -1)) best = { length, organisation: `o${order}` }
      }
      assert.equal(found(text), best?.organisation ?? null, `${text} in ${networks.map(({ prefix }) => prefix).join(' ')}`)
    }
  }), { numRuns: 1_000, seed: 20290214 })
})

test('what is no address has no network, and is no error', () => {
  const found = lookUp([{ prefix: '0.0.0.0/0', organisation: 'all' }, { prefix: '::/0', organisation: 'all' }])
  for (const text of ['', 'unknown', '10.0.0', '10.0.0.0.1', '10.0.0.256', '10..0.1', ':::', '2001:db8', 'x:1::', '_hidden']) assert.equal(found(text), null, text)
  fc.assert(fc.property(fc.string(), (text) => void found(text)))
})

test('the imported table is read, and again when it is old; a reading that fails changes nothing', async () => {
  let now = 0
  const failures: unknown[] = []
  await owner.query("INSERT INTO network VALUES ('103.0.0.0/8', 1, 'telkomsel', '2020-01-01', NULL), ('103.101.0.0/16', 2, 'indosat', '2020-01-01', NULL), ('103.102.0.0/16', 3, 'gone', '2020-01-01', '2021-01-01')")
  const networks = await openNetworks(kit.database, () => now, (error) => failures.push(error))
  assert.deepEqual(['103.1.1.1', '103.101.1.1', '103.102.1.1', '9.9.9.9'].map(networks.operatorOf), ['telkomsel', 'indosat', 'telkomsel', null])
  await owner.query("UPDATE network SET organisation_id = 'xlsmart' WHERE asn = 2")
  assert.equal(networks.operatorOf('103.101.1.1'), 'indosat')
  now += 10 * 60_000 + 1
  networks.operatorOf('103.101.1.1')
  await networks.idle()
  assert.equal(networks.operatorOf('103.101.1.1'), 'xlsmart')
  await owner.query('ALTER TABLE network RENAME TO network_away')
  now += 10 * 60_000 + 1
  networks.operatorOf('103.101.1.1')
  await networks.idle()
  await owner.query('ALTER TABLE network_away RENAME TO network')
  assert.deepEqual([networks.operatorOf('103.101.1.1'), failures.length], ['xlsmart', 1])
})

test('who asks is the first that is no trusted proxy, from the connection backwards', () => {
  const none = addressReader([])
  assert.equal(none('1.2.3.4', '9.9.9.9'), '1.2.3.4')
  const read = addressReader(['127.0.0.1', '10.0.0.0/8', 'loopback'])
  assert.equal(read('1.2.3.4', '9.9.9.9'), '1.2.3.4')
  assert.equal(read('127.0.0.1', undefined), '127.0.0.1')
  assert.equal(read('127.0.0.1', '9.9.9.9'), '9.9.9.9')
  assert.equal(read('::ffff:127.0.0.1', '6.6.6.6, 9.9.9.9,10.1.1.1'), '9.9.9.9')
  assert.equal(read('::1', '10.2.2.2, 10.1.1.1'), '10.2.2.2')
  assert.equal(read('127.0.0.1', 'not an address'), 'not an address')
})
