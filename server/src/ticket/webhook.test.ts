import assert from 'node:assert/strict'
import { request as overHttps } from 'node:https'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { callbackAllowed, createSend, isPublic, publicOnly, webhookSecret, type Post } from './webhook.ts'

const secret = Buffer.alloc(32, 9)
const post = (callback: string): Post => ({ callback, id: 'TT-1.3', body: { eventId: 'TT-1.3', text: 'é' }, listener: 'hub-1', at: Date.now() })

async function receiver(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => (server.closeAllConnections(), server.close()))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part
  return text
}

test('what is posted is verified by the library of Standard Webhooks, and by nobody with another secret', async (t) => {
  const seen: { body: string; headers: Record<string, string> }[] = []
  const callback = await receiver(t, (request, response) => void read(request).then((body) => {
    seen.push({ body, headers: request.headers as Record<string, string> })
    response.writeHead(204).end()
  }))
  assert.equal(await createSend({ secret, hosts: ['127.0.0.1'] })(post(callback)), 204)
  const [{ body, headers }] = seen as [{ body: string; headers: Record<string, string> }]
  assert.deepEqual(new Webhook(`whsec_${webhookSecret(secret, 'hub-1').toString('base64')}`).verify(body, headers), { eventId: 'TT-1.3', text: 'é' })
  assert.throws(() => new Webhook(`whsec_${webhookSecret(secret, 'hub-2').toString('base64')}`).verify(body, headers), /No matching signature/)
  assert.equal(headers['webhook-id'], 'TT-1.3')
})

test('a redirect is an answer, and is not followed', async (t) => {
  let asked = 0
  const callback = await receiver(t, (_, response) => (asked++, response.writeHead(307, { location: callback }).end()))
  assert.equal(await createSend({ secret, hosts: ['127.0.0.1'] })(post(callback)), 307)
  assert.equal(asked, 1)
})

test('an answer of which there is no end is not read to its end', async (t) => {
  const callback = await receiver(t, (_, response) => {
    response.writeHead(200)
    const fill = (): void => { while (response.write(Buffer.alloc(16_384))); }
    response.on('drain', fill)
    fill()
  })
  assert.equal(await createSend({ secret, hosts: ['127.0.0.1'] })(post(callback)), 200)
})

test('nothing goes to an address that is not public and not named: neither as a number nor by a name', async (t) => {
  let asked = 0
  const callback = await receiver(t, (_, response) => (asked++, response.writeHead(204).end()))
  const send = createSend({ secret, hosts: [] })
  await assert.rejects(send(post(callback)), /address not allowed/)
  await assert.rejects(send(post(callback.replace('http:', 'https:'))), /address not allowed/)
  assert.equal(asked, 0)
  // A name says nothing: what it stands for is judged when it is connected to.
  for (const all of [true, false]) assert.match(String(await new Promise((resolve) => publicOnly('localhost', { all }, resolve))), /not a public address/)
  await assert.rejects(new Promise((resolve, reject) => overHttps('https://localhost:9/', { lookup: publicOnly }).on('error', reject).on('response', resolve).end()), /not a public address/)
})

test('which addresses are public', () => {
  const refused = ['127.0.0.1', '10.1.2.3', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '198.18.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', 'fc00::1', 'fe80::1', 'ff02::1', '64:ff9b::7f00:1', '2001:db8::1', '2002:7f00:1::', 'nonsense', '']
  assert.deepEqual(refused.filter(isPublic), [])
  assert.deepEqual(['8.8.8.8', '103.10.64.1', '172.32.0.1', '2404:6800:4003::1', '2606:4700::1'].filter((address) => !isPublic(address)), [])
})

test('which callbacks are taken', () => {
  const named = ['noc.lan']
  assert.deepEqual(['http://noc.lan:8080/x', 'https://noc.example.id/x', 'https://8.8.8.8/x'].filter((callback) => !callbackAllowed(callback, named)), [])
  const refused = ['http://noc.example.id/x', 'https://10.0.0.1/', 'https://[::1]/x', 'https://0x7f000001/', 'https://2130706433/', 'http://169.254.169.254/', 'https://intranet/', 'ftp://noc.lan/', 'https://u:p@noc.example.id/', 'nonsense', 'http://noc.lan.evil.example/']
  assert.deepEqual(refused.filter((callback) => callbackAllowed(callback, named)), [])
})
