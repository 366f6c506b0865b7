import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Live } from '@kawal/contract/live.ts'
import { fixtureLive } from './test/fixture.ts'
import { assertAxe, desktop, openScreens, overflowOf, phone, picture, type Screens } from './test/screens.ts'

let screens: Screens
before(async () => {
  screens = await openScreens()
})
after(() => screens.close())

/** The fixture with a ticket that covers a second disturbance, has a file, and could be merged into another. */
function merged(now: number): Live {
  const live = fixtureLive(now)
  const [first, ...others] = live.tickets
  assert.ok(first !== undefined)
  const at = new Date(now).toISOString()
  const plain = { by: 'telkomsel', text: '', counts: null, clock: null, dispute: null }
  const ticket: Live['tickets'][number] = {
    ...first, dispute: null, status: 'inProgress', covers: ['g-6'], relations: [{ type: 'merged', ticket: 'TT-g-6' }],
    history: [...first.history, { ...plain, at, by: 'komdigi', kind: 'covered', disturbances: ['g-6'] }, { ...plain, at, by: 'komdigi', kind: 'related', relation: { type: 'merged', ticket: 'TT-g-6' } },
      { ...plain, at, kind: 'attached', text: 'menara dari selatan', attachment: { name: 'menara.jpg', bytes: 204_800, url: '/v1/tickets/t-1/attachments/1' } }],
  }
  return { ...live, tickets: [ticket, { ...first, id: 't-9', disturbanceId: 'g-9', dispute: null, status: 'submitted', title: 'Jaringan akses Telkomsel putus: Borong' }, ...others] }
}

test('the monitoring centre merges a ticket into another and splits what one covers; a file is a link', async () => {
  const page = await screens.open('', desktop)
  await page.route('**/v1/live', (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: `event: snapshot\ndata: ${JSON.stringify(merged(Date.now()))}\n\n` }))
  await page.goto(`${screens.site.address}?gangguan=g-1`)
  const detail = page.locator('#detail')
  await detail.getByText('Tiket ini juga mencakup').waitFor()
  const text = await detail.innerText()
  for (const word of ['Baru ditutup bila semua gangguannya terukur pulih', 'mencakup gangguan lain juga', 'tiket TT-g-6 digabung ke sini', 'lampiran', 'menara dari selatan', '(200 KiB)']) assert.ok(text.includes(word), `${word} in ${text}`)
  assert.equal(await detail.getByRole('link', { name: 'menara.jpg' }).getAttribute('href'), '/v1/tickets/t-1/attachments/1')
  await detail.locator('summary', { hasText: 'Gabungkan' }).click()
  const merge = detail.getByRole('button', { name: 'Gabungkan', exact: true })
  assert.ok(await merge.isDisabled(), 'into nothing')
  await detail.getByLabel('Gabungkan ke tiket').selectOption('t-9')
  await assertAxe(page, 'merge')
  await picture(page, 'merge-id')
  const [asked] = await Promise.all([page.waitForRequest((each) => each.method() === 'PATCH'), merge.click()])
  assert.ok(asked.url().endsWith('/t-1'))
  assert.deepEqual(asked.postDataJSON(), { '@type': 'TroubleTicket', troubleTicketRelationship: [{ '@type': 'TroubleTicketRelationship', relationshipType: 'mergedInto', id: 't-9' }] })
  const [split] = await Promise.all([page.waitForRequest((each) => each.method() === 'PATCH'), detail.getByRole('button', { name: /^Pisahkan / }).click()])
  assert.deepEqual(split.postDataJSON(), { '@type': 'TroubleTicket', troubleTicketRelationship: [{ '@type': 'TroubleTicketRelationship', relationshipType: 'splitInto' }], relatedEntity: [{ '@type': 'RelatedEntity', role: 'disturbance', entity: { '@type': 'EntityRef', id: 'g-6' } }] })
  await page.setViewportSize(phone)
  await page.goto(`${screens.site.address}?gangguan=g-1&bahasa=en`)
  await page.locator('#detail').getByText('This ticket covers as well').waitFor()
  assert.equal(await overflowOf(page), 0)
  await picture(page, 'merge-phone-en')
  await page.context().close()
})
