import type { Cause } from '@kawal/core/detection/disturbance.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Reason } from '@kawal/core/notification/escalation.ts'
import { clocks, type Ticket } from '@kawal/core/ticket/ticket.ts'
import type { PushNotice } from '../push/push.ts'
import { timeText } from '../ticket/local-time.ts'

type Language = 'id' | 'en'

/** One ticket in a message: why it calls, or that it calls no more; `place` of its alert in the notice. */
export interface Told { readonly ticket: Ticket; readonly place: number; readonly reason: Reason; readonly isOver: boolean; readonly link: string }

interface Words {
  readonly cause: Readonly<Record<Cause, string>>
  readonly stations: (count: number) => string
  readonly problem: string
  readonly request: string
  readonly waiting: string
  readonly overdue: string
  readonly unreached: string
  readonly unverified: string
  readonly disputed: string
  readonly over: string
  readonly greeting: (name: string) => string
  readonly since: string
  readonly answer: string
  readonly reply: string
  readonly inCharge: (organisation: string) => string
  readonly why: string
  readonly due: string
  readonly announcement: (by: string) => string
  readonly pushTry: readonly [title: string, body: string]
}

const words: Readonly<Record<Language, Words>> = {
  id: {
    cause: { power: 'listrik padam', access: 'layanan terputus', backhaul: 'transmisi terputus', core: 'jaringan inti', congestion: 'jaringan padat', degradation: 'layanan menurun', access_point: 'titik akses', election_server: 'server pemilu', ingest: 'penerimaan laporan', undetermined: 'sebab belum jelas' },
    stations: (count) => `${count} TPS`, problem: 'laporan petugas', request: 'permintaan', waiting: 'menunggu konfirmasi', overdue: 'lewat waktu', unreached: 'menunggu konfirmasi, sistem tiket lembaga tidak menjawab', unverified: 'dinyatakan pulih, tidak terverifikasi', disputed: 'sengketa menunggu jawaban Anda', over: 'sudah ditangani',
    greeting: (name) => `Yth. ${name},`, since: 'Sejak', answer: 'Jawab di', reply: 'Balasan surel ini menjadi catatan pada tiket.',
    inCharge: (organisation) => `Penanggung jawab: ${organisation}.`, why: 'Anda menerima pesan ini sebagai kontak piket di Kawal Sinyal.',
    due: 'Tenggat', announcement: (by) => `Pengumuman dari ${by}`, pushTry: ['Percobaan Kawal Sinyal', 'Perangkat ini akan berbunyi bila lembaga Anda dipanggil.'],
  },
  en: {
    cause: { power: 'power lost', access: 'service lost', backhaul: 'backhaul lost', core: 'core network', congestion: 'congestion', degradation: 'service degraded', access_point: 'access point', election_server: 'election server', ingest: 'intake of reports', undetermined: 'cause not clear yet' },
    stations: (count) => (count === 1 ? '1 polling station' : `${count} polling stations`), problem: 'officer\'s problem', request: 'request', waiting: 'waits to be acknowledged', overdue: 'overdue', unreached: 'waits to be acknowledged, the organisation\'s ticket system does not answer', unverified: 'said to be resolved, unverified', disputed: 'a dispute waits for your answer', over: 'taken up',
    greeting: (name) => `To ${name},`, since: 'Since', answer: 'Answer at', reply: 'A reply to this e-mail becomes a note on the ticket.',
    inCharge: (organisation) => `In charge: ${organisation}.`, why: 'You are told as a duty contact in Kawal Sinyal.',
    due: 'Due', announcement: (by) => `Announcement by ${by}`, pushTry: ['Kawal Sinyal, a try', 'This device will buzz when your organisation is called.'],
  },
}

function aboutOf({ ticket: { disturbance, problem, areaName } }: Told, { cause, stations, problem: reported, request }: Words): string {
  if (disturbance !== null) return `${cause[disturbance.cause]}, ${areaName}, ${stations(disturbance.stations.length)}`
  return problem === undefined ? request : `${reported}, TPS ${problem.station}, ${areaName}`
}

const stateOf = ({ isOver, reason }: Told, of: Words): string => (isOver ? of.over : of[reason])

/** One line, without what would break a header. */
const line = (text: string): string => text.replace(/[\u0000-\u001f\u007f]+/g, ' ')

/** An e-mail about one ticket: everything that is said of it is one thread. */
export function emailOf(told: Told, { name, language, organisation }: { readonly name: string; readonly language: Language; readonly organisation: string }): { subject: string; text: string } {
  const of = words[language]
  const { ticket } = told
  return {
    subject: line(`[${ticket.id}] ${stateOf(told, of)}: ${aboutOf(told, of)}`).slice(0, 200),
    text: [
      of.greeting(name), '', ...(organisation === ticket.operator ? [] : [of.inCharge(ticket.operatorName), '']),
      `${ticket.id}: ${aboutOf(told, of)}`, stateOf(told, of), `${of.since} ${timeText(ticket, ticket.openedAt, language)}`,
      ...(told.isOver ? [] : ['', `${of.answer} ${told.link}`, of.reply]), '', '-- ', of.why,
    ].join('\r\n'),
  }
}

/** A short message about all tickets of a notice: 300 characters at most, and a link to the first. */
export function smsOf(told: readonly Told[], { language, organisation }: { readonly language: Language; readonly organisation: string }): string {
  const of = words[language]
  const [first] = told
  if (first === undefined) return ''
  const more = told.length > 1 ? ` (+${told.length - 1})` : ''
  const text = line(`KAWAL ${first.ticket.id}${more}: ${aboutOf(first, of)}; ${stateOf(first, of)}${organisation === first.ticket.operator ? '' : `; ${first.ticket.operatorName}`}`)
  const link = first.isOver ? '' : ` ${first.link}`
  return text.slice(0, Math.max(0, 300 - link.length)) + link
}

/** Of a push: with these its JSON has 3 KB at most, since a UTF-16 unit takes three bytes or less. */
const [title_chars_max, body_chars_max] = [160, 480]
const cut = (text: string, chars_max: number): string => (text.length <= chars_max ? text : `${text.slice(0, chars_max - 3)}...`)
/** Where a press leads, in the reader's language. */
const consoleOf = (language: Language, query: Readonly<Record<string, string>> = {}): string => {
  const text = new URLSearchParams({ ...query, ...(language === 'en' ? { bahasa: 'en' } : {}) }).toString()
  return text === '' ? '/console/' : `/console/?${text}`
}

/** What a phone shows of all tickets of a notice: of the first that still calls what, where, how many stations and until when; a press opens it. */
export function pushOf(told: readonly Told[], { language, organisation, tag, now }: { readonly language: Language; readonly organisation: string; readonly tag: string; readonly now: Instant }): PushNotice | null {
  const of = words[language]
  const first = told.find(({ isOver }) => !isOver) ?? told[0]
  if (first === undefined) return null
  const { ticket } = first
  const about = aboutOf(first, of)
  const [restore] = clocks(ticket, now)
  const isRunning = restore !== undefined && restore.state !== 'met' && restore.state !== 'paused'
  const body = [
    `${ticket.id}: ${stateOf(first, of)}${told.length > 1 ? ` (+${told.length - 1})` : ''}`,
    ...(first.isOver || !isRunning ? [] : [`${of.due} ${timeText(ticket, restore.dueAt, language)}`]), ...(organisation === ticket.operator ? [] : [of.inCharge(ticket.operatorName)]),
  ].map(line).join('\n')
  return { title: cut(line(about.charAt(0).toUpperCase() + about.slice(1)), title_chars_max), body: cut(body, body_chars_max), tag, url: consoleOf(language, { tiket: ticket.id }), language, isQuiet: first.isOver }
}

/** An announcement as a phone shows it; above the console it stands whole. */
export function announcementOf({ title, text, by }: { readonly title: string; readonly text: string; readonly by: string }, language: Language, tag: string): PushNotice {
  return { title: cut(line(title), title_chars_max), body: cut(`${line(words[language].announcement(by))}\n${line(text)}`, body_chars_max), tag, url: consoleOf(language), language, isQuiet: false }
}

/** What a person asks for to see that it reaches him. */
export function tryNotice(language: Language): PushNotice {
  const [title, body] = words[language].pushTry
  return { title, body, tag: 'try', url: consoleOf(language, { tampil: 'piket' }), language, isQuiet: false }
}
