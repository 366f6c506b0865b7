import type { Cause } from '@kawal/core/detection/disturbance.ts'
import type { ClockName, ClockState } from '@kawal/core/ticket/clock.ts'
import type { DisputeKind } from '@kawal/core/ticket/dispute.ts'
import type { RelationType } from '@kawal/core/ticket/relation.ts'
import type { ProblemKind, TicketEvent, TicketStatus } from '@kawal/core/ticket/ticket.ts'

/** What somebody who was sent a link may do to its ticket. `fixed` and `still` are the last word on a request. */
export type LinkAct = 'acknowledge' | 'start' | 'hold' | 'resume' | 'resolve' | 'estimate' | 'note' | 'fixed' | 'still' | 'dispute'

/** Every word of the page that a ticket is answered on. `typeof id` is the type that English fills: a missing word does not compile. */
const id = {
  lang: 'id',
  /** For Intl: how instants and numbers are written. */
  locale: 'id-ID',
  otherLanguage: 'English',
  ticket: (number: string) => `Tiket ${number}`,
  to: (operator: string) => `Untuk ${operator}`,
  asOf: (time: string) => `Keadaan ${time}`,
  reload: 'Muat ulang',
  statusIs: (status: string) => `Status: ${status}`,
  status: {
    submitted: 'dikirim', acknowledged: 'diterima', inProgress: 'dikerjakan', pending: 'ditunda', resolved: 'dinyatakan pulih', reopened: 'dibuka lagi', closed: 'ditutup', cancelled: 'dibatalkan',
  } satisfies Record<TicketStatus, string>,
  closedByMeasurement: 'ditutup oleh pengukuran',
  asked: {
    submitted: 'Ini tiket baru. Nyatakan bahwa Anda sudah melihatnya, lalu mulai kerjakan.',
    acknowledged: 'Mulai kerjakan. Bila harus menunggu, tunda dengan alasannya.',
    inProgress: 'Bila layanan sudah pulih, nyatakan pulih. Bila harus menunggu, tunda dengan alasannya.',
    pending: 'Waktu dijeda. Lanjutkan bila pekerjaan bisa jalan lagi.',
    reopened: 'Pernyataan pulih tidak terbukti. Periksa lagi dan kerjakan.',
    closed: 'Tidak ada lagi yang perlu dilakukan.',
    cancelled: 'Tidak ada yang perlu dilakukan.',
  } satisfies Record<Exclude<TicketStatus, 'resolved'>, string>,
  askedResolved: {
    disturbance: (minutes: string) => `Pengukuran di TPS punya ${minutes} menit untuk membenarkannya. Tiket lalu ditutup dengan sendirinya; tidak ada yang menutup tiket dengan tangan. Bila TPS ternyata belum pulih, tiket dibuka lagi dan waktunya dihitung terus.`,
    problem: () => 'Tiket ditutup oleh kabar petugas yang melapor, atau 48 jam kemudian bila tidak ada kabar.',
    request: () => 'Pusat pemantauan menyatakan permintaan Anda selesai. Benarkan atau bantah; tanpa kabar, tiket ditutup 48 jam kemudian.',
  },
  askedUnverified: {
    asked: (time: string) => `Belum ada yang mengukur sejak dinyatakan pulih ${time}. Petugas dan alat ukur terdekat sedang diminta memeriksa; sampai ada kabar, kedua waktu dijeda.`,
    unverified: (time: string) => `Tidak terverifikasi: sejak dinyatakan pulih ${time} terlalu sedikit perangkat melapor dari TPS itu. Begitu ada laporan, tiket ditutup atau dibuka lagi; sampai saat itu kedua waktu dijeda.`,
  },
  unverified: 'tidak terverifikasi',
  stillBroken: 'Masih terdampak',
  overran: (work: string) => `Pekerjaan terencana ${work} melewati waktunya; gangguan ini berlanjut setelah selesainya.`,
  askedRequest: 'Permintaan ini dikerjakan pusat pemantauan. Anda dapat menambah catatan.',
  readOnly: 'Lembaga Anda dapat membaca tiket ini, tidak menjawabnya.',
  restored: (time: string, minutes: string) => `Terukur pulih sejak ${time}. Nyatakan pulih; tanpa pernyataan Anda tiket ditutup oleh pengukuran ${minutes} menit setelahnya.`,
  what: 'Gangguan',
  cause: (cause: Cause, operator: string, severity: 'down' | 'degraded'): string => {
    const bad = severity === 'down' ? 'putus' : 'terganggu'
    switch (cause) {
      case 'power': return 'Listrik padam'
      case 'access': return `Jaringan akses ${operator} ${bad}`
      case 'backhaul': return `Penghubung (backhaul) ${operator} ${bad}`
      case 'core': return `Jaringan inti ${operator} ${bad}`
      case 'congestion': return `Jaringan ${operator} padat`
      case 'degradation': return `Mutu jaringan ${operator} menurun`
      case 'access_point': return `Titik akses ${operator} ${bad}`
      case 'election_server': return 'Server pemilu tidak terjangkau'
      case 'ingest': return 'Penerimaan laporan kami bermasalah'
      case 'undetermined': return `Gangguan ${operator}, penyebab belum pasti`
    }
  },
  problem: 'Laporan petugas',
  problemKind: { signal: 'sinyal', access_point: 'titik akses', election_server: 'server pemilu', app: 'aplikasi', position: 'posisi TPS', other: 'lain-lain' } satisfies Record<ProblemKind, string>,
  request: 'Permintaan',
  stations: (count: string) => `${count} TPS`,
  station: (code: string) => `TPS ${code}`,
  stationList: 'Kode TPS',
  moreStations: (count: string) => `dan ${count} TPS lagi`,
  when: 'Kapan',
  since: (time: string) => `Sejak ${time}`,
  found: (time: string) => `Dipastikan ${time}`,
  expected: (time: string) => `Perkiraan selesai ${time}`,
  measuredWell: (time: string) => `Terukur pulih ${time}`,
  saidWell: (time: string) => `Dinyatakan pulih ${time}`,
  closed: (time: string) => `Ditutup ${time}`,
  cancelled: (time: string) => `Dibatalkan ${time}`,
  reopened: (times: string) => `Dibuka lagi ${times} kali`,
  clocks: 'Waktu',
  clockName: { restore: 'Layanan pulih', repair: 'Perbaikan tuntas' } satisfies Record<ClockName, string>,
  clockState: { running: 'berjalan', paused: 'dijeda', at_risk: 'terancam', overdue: 'lewat', met: 'terpenuhi' } satisfies Record<ClockState, string>,
  left: (span: string) => `sisa ${span}`,
  due: (time: string) => `tenggat ${time}`,
  over: (span: string) => `lewat ${span}`,
  paused: (reason: string) => `dijeda: ${reason}`,
  met: 'terpenuhi',
  metLate: (span: string) => `terpenuhi, terlambat ${span}`,
  verification: 'menunggu pengukuran',
  underMinute: 'kurang dari 1 menit',
  minutes: (count: string) => `${count} menit`,
  hoursMinutes: (hours: string, minutes: string) => `${hours} jam ${minutes} menit`,
  evidence: 'Bukti',
  counted: { devicesExpected: 'Perangkat yang ditunggu', devicesSilent: 'Diam', devicesBad: 'Melapor buruk', devicesGood: 'Melapor baik' },
  counts: (silent: string, expected: string, bad: string, good: string) => `${silent} dari ${expected} perangkat diam, ${bad} melapor buruk, ${good} baik`,
  acts: 'Jawaban Anda',
  act: {
    acknowledge: 'Sudah saya lihat', start: 'Mulai kerjakan', hold: 'Tunda', resume: 'Lanjutkan', resolve: 'Nyatakan pulih', estimate: 'Kirim perkiraan', note: 'Kirim catatan', fixed: 'Sudah selesai', still: 'Belum selesai', dispute: 'Ajukan sengketa',
  } satisfies Record<LinkAct, string>,
  holdReason: 'Alasan menunda (wajib)',
  holdHint: 'Kedua waktu dijeda selama tiket ditunda.',
  resolveText: 'Apa yang diperbaiki (boleh kosong)',
  estimateTime: (zone: string) => `Perkiraan selesai, waktu ${zone}`,
  noteText: 'Catatan',
  disputeKindLabel: 'Ini bukan gangguan kami, karena',
  disputeText: 'Bukti Anda (wajib)',
  disputeHint: 'Pusat pemantauan menjawabnya. Sampai saat itu tiket dan waktunya berjalan terus.',
  dispute: 'Sengketa',
  disputeKind: { power: 'listrik padam', not_ours: 'jaringan kami baik', access_point: 'titik aksesnya milik BAKTI', election_server: 'server pemilu yang terganggu' } satisfies Record<DisputeKind, string>,
  disputedBy: (operator: string, time: string) => `Diajukan ${operator}, ${time}`,
  measuredThen: 'Terukur saat itu',
  disputeOpen: 'Menunggu jawaban pusat pemantauan.',
  disputeAnswer: { upheld: 'Dibenarkan', rejected: 'Ditolak' } satisfies Record<'upheld' | 'rejected', string>,
  said: {
    acknowledge: 'Tersimpan: tiket sudah Anda lihat.', start: 'Tersimpan: tiket sedang dikerjakan.', hold: 'Tersimpan: tiket ditunda.', resume: 'Tersimpan: pekerjaan dilanjutkan.',
    resolve: 'Tersimpan: dinyatakan pulih.', estimate: 'Tersimpan: perkiraan selesai.', note: 'Tersimpan: catatan.', fixed: 'Tersimpan: sudah selesai.', still: 'Tersimpan: belum selesai.', dispute: 'Tersimpan: sengketa diajukan.',
  } satisfies Record<LinkAct, string>,
  wrong: {
    version_conflict: 'Belum tersimpan: tiket ini berubah sejak halaman Anda dimuat. Lihat keadaan terbarunya di bawah, lalu putuskan lagi. Yang Anda tulis masih ada.',
    not_from_this_status: 'Belum tersimpan: status tiket sekarang tidak memungkinkannya.',
    not_yours_to_say: 'Belum tersimpan: lembaga Anda tidak dapat menyatakan ini.',
    reason_missing: 'Belum tersimpan: tulislah teksnya dulu.',
    text_too_long: 'Belum tersimpan: teks paling panjang 2.000 huruf.',
    time: 'Belum tersimpan: isi tanggal dan jam yang akan datang, misalnya 2029-02-14 15:30.',
  },
  yourText: 'Yang Anda tulis:',
  history: 'Riwayat',
  earlier: (count: string) => `${count} catatan lebih lama tidak ditampilkan`,
  event: {
    opened: 'tiket dibuka', acknowledged: 'diterima', started: 'dikerjakan', held: 'ditunda, waktu dijeda', resumed: 'dilanjutkan, waktu berjalan lagi', resolved: 'dinyatakan pulih', restored: 'terukur pulih', relapsed: 'putus lagi',
    reopened: 'dibuka lagi', closed: 'ditutup', cancelled: 'dibatalkan', noted: 'catatan', estimated: 'perkiraan selesai diberikan', evidence_changed: 'bukti diperbarui', clock_warned: 'peringatan tenggat', transferred: 'dialihkan',
    disputed: 'sengketa diajukan', upheld: 'sengketa dibenarkan', rejected: 'sengketa ditolak', check_asked: 'petugas dan alat ukur terdekat diminta memeriksa', unverified: 'tidak terverifikasi', related: 'dikaitkan', covered: 'mencakup gangguan lain juga', uncovered: 'gangguan dikeluarkan', attached: 'lampiran', withdrawn: 'ditarik kembali',
  } satisfies Record<TicketEvent['kind'], string>,
  measurement: 'pengukuran',
  officer: 'petugas KPPS',
  measuredOnly: 'terukur, tanpa kabar dari operator',
  retracted: 'dicabut oleh pengukuran',
  merged: (other: string) => `digabung ke ${other}`,
  relation: {
    parent: (other: string) => `bagian dari tiket ${other}`, child: (other: string) => `tiket ${other} bagian dari tiket ini`, mergedInto: (other: string) => `digabung ke tiket ${other}`,
    merged: (other: string) => `tiket ${other} digabung ke sini`, splitFrom: (other: string) => `dipisah dari tiket ${other}`, splitInto: (other: string) => `sebagian dipisah ke tiket ${other}`,
  } satisfies Record<RelationType, (other: string) => string>,
  notWellYet: (disturbances: string) => `Belum pulih: ${disturbances}`,
  notMeasured: (disturbances: string) => `Belum terukur: ${disturbances}`,
  gone: 'Tautan tidak berlaku',
  goneHow: 'Tautan ini salah, masa berlakunya habis, atau tiketnya bukan lagi milik lembaga Anda. Mintalah tautan baru kepada pusat pemantauan.',
  tooLarge: 'Kiriman terlalu besar',
  tooLargeHow: 'Persingkat teksnya, lalu kirim lagi. Tidak ada yang tersimpan.',
  notForm: 'Kiriman tidak dikenal',
  notFormHow: 'Halaman ini hanya menerima formulirnya sendiri. Buka lagi tautan Anda. Tidak ada yang tersimpan.',
  fault: 'Kesalahan di pihak kami',
  faultHow: (reference: string) => `Cobalah sebentar lagi. Bila terulang, sebutkan kepada pusat pemantauan: ${reference}`,
}

export type LinkWords = typeof id

const en: LinkWords = {
  lang: 'en',
  locale: 'en-GB',
  otherLanguage: 'Bahasa Indonesia',
  ticket: (number) => `Ticket ${number}`,
  to: (operator) => `For ${operator}`,
  asOf: (time) => `As of ${time}`,
  reload: 'Reload',
  statusIs: (status) => `Status: ${status}`,
  status: { submitted: 'submitted', acknowledged: 'acknowledged', inProgress: 'in progress', pending: 'pending', resolved: 'said to be resolved', reopened: 'reopened', closed: 'closed', cancelled: 'cancelled' },
  closedByMeasurement: 'closed by measurement',
  asked: {
    submitted: 'This ticket is new. Say that you have seen it, then start the work.',
    acknowledged: 'Start the work. If you must wait, hold it with the reason.',
    inProgress: 'When service is back, say resolved. If you must wait, hold it with the reason.',
    pending: 'The clocks are paused. Resume when the work can go on.',
    reopened: 'The resolution did not hold. Look again, and go on with the work.',
    closed: 'There is nothing left to do.',
    cancelled: 'There is nothing to do.',
  },
  askedResolved: {
    disturbance: (minutes) => `Measurements at the stations have ${minutes} minutes to agree. The ticket then closes by itself; nobody closes a ticket by hand. If the stations are not well after all it is reopened, and its clocks have run on.`,
    problem: () => 'The ticket closes by the word of the officer who reported it, or 48 hours later when none comes.',
    request: () => 'The monitoring centre says that your request is settled. Say whether it is; without word the ticket closes 48 hours later.',
  },
  askedUnverified: {
    asked: (time) => `Nobody has measured since you said resolved ${time}. Officers and probes near by are asked to check; until there is word both clocks are paused.`,
    unverified: (time) => `Unverified: since you said resolved ${time} too few devices have reported from these stations. When reports come the ticket is closed or reopened; until then both clocks are paused.`,
  },
  unverified: 'unverified',
  stillBroken: 'Hit still',
  overran: (work) => `Planned work ${work} has overrun; this disturbance went on after its end.`,
  askedRequest: 'The monitoring centre works on this request. You may add notes.',
  readOnly: 'Your organisation may read this ticket, not answer it.',
  restored: (time, minutes) => `Measured well since ${time}. Say resolved; without your word measurement closes the ticket ${minutes} minutes after that.`,
  what: 'Disturbance',
  cause: (cause, operator, severity) => {
    const bad = severity === 'down' ? 'down' : 'degraded'
    switch (cause) {
      case 'power': return 'Power cut'
      case 'access': return `${operator} access network ${bad}`
      case 'backhaul': return `${operator} backhaul ${bad}`
      case 'core': return `${operator} core network ${bad}`
      case 'congestion': return `${operator} network congested`
      case 'degradation': return `${operator} network quality degraded`
      case 'access_point': return `${operator} access points ${bad}`
      case 'election_server': return 'Election server unreachable'
      case 'ingest': return 'Our own report intake has a fault'
      case 'undetermined': return `${operator} disturbance, cause undetermined`
    }
  },
  problem: "Officer's report",
  problemKind: { signal: 'signal', access_point: 'access point', election_server: 'election server', app: 'app', position: 'position of the station', other: 'other' },
  request: 'Request',
  stations: (count) => `${count} stations`,
  station: (code) => `Station ${code}`,
  stationList: 'Station codes',
  moreStations: (count) => `and ${count} more stations`,
  when: 'When',
  since: (time) => `Since ${time}`,
  found: (time) => `Confirmed ${time}`,
  expected: (time) => `Estimated finish ${time}`,
  measuredWell: (time) => `Measured as recovered ${time}`,
  saidWell: (time) => `Said to be resolved ${time}`,
  closed: (time) => `Closed ${time}`,
  cancelled: (time) => `Cancelled ${time}`,
  reopened: (times) => `Reopened ${times} times`,
  clocks: 'Clocks',
  clockName: { restore: 'Service restored', repair: 'Repair finished' },
  clockState: { running: 'running', paused: 'paused', at_risk: 'at risk', overdue: 'overdue', met: 'met' },
  left: (span) => `${span} left`,
  due: (time) => `due ${time}`,
  over: (span) => `${span} over`,
  paused: (reason) => `paused: ${reason}`,
  met: 'met',
  metLate: (span) => `met, ${span} late`,
  verification: 'waiting for measurement',
  underMinute: 'less than 1 min',
  minutes: (count) => `${count} min`,
  hoursMinutes: (hours, minutes) => `${hours} h ${minutes} min`,
  evidence: 'Evidence',
  counted: { devicesExpected: 'Devices expected', devicesSilent: 'Silent', devicesBad: 'Report bad', devicesGood: 'Report good' },
  counts: (silent, expected, bad, good) => `${silent} of ${expected} devices silent, ${bad} report bad, ${good} good`,
  acts: 'Your answer',
  act: { acknowledge: 'I have seen it', start: 'Start the work', hold: 'Hold', resume: 'Resume', resolve: 'Say resolved', estimate: 'Send the estimate', note: 'Send the note', fixed: 'It is settled', still: 'Not settled yet', dispute: 'Dispute it' },
  holdReason: 'Reason to hold (required)',
  holdHint: 'Both clocks are paused while the ticket is held.',
  resolveText: 'What was repaired (may be empty)',
  estimateTime: (zone) => `Estimated finish, ${zone} time`,
  noteText: 'Note',
  disputeKindLabel: 'This is no fault of ours, because',
  disputeText: 'Your evidence (required)',
  disputeHint: 'The monitoring centre answers. Until then the ticket and its clocks go on.',
  dispute: 'Dispute',
  disputeKind: { power: 'the mains are off', not_ours: 'our network is well', access_point: 'the access point is BAKTI\'s', election_server: 'the election server is at fault' },
  disputedBy: (operator, time) => `By ${operator}, ${time}`,
  measuredThen: 'Measured at that time',
  disputeOpen: 'Waiting for the answer of the monitoring centre.',
  disputeAnswer: { upheld: 'Upheld', rejected: 'Rejected' },
  said: {
    acknowledge: 'Kept: you have seen the ticket.', start: 'Kept: the ticket is being worked on.', hold: 'Kept: the ticket is held.', resume: 'Kept: the work goes on.',
    resolve: 'Kept: said to be resolved.', estimate: 'Kept: the estimate.', note: 'Kept: the note.', fixed: 'Kept: it is settled.', still: 'Kept: not settled yet.', dispute: 'Kept: you dispute the ticket.',
  },
  wrong: {
    version_conflict: 'Not kept yet: this ticket has changed since your page was loaded. See below how it stands now, then decide again. What you wrote is still there.',
    not_from_this_status: "Not kept: the ticket's present status does not allow it.",
    not_yours_to_say: 'Not kept: your organisation cannot say this.',
    reason_missing: 'Not kept yet: write the text first.',
    text_too_long: 'Not kept yet: a text has at most 2,000 characters.',
    time: 'Not kept yet: give a date and time that are still to come, such as 2029-02-14 15:30.',
  },
  yourText: 'What you wrote:',
  history: 'History',
  earlier: (count) => `${count} earlier entries are not shown`,
  event: {
    opened: 'ticket opened', acknowledged: 'acknowledged', started: 'in progress', held: 'held, clocks paused', resumed: 'resumed, clocks run again', resolved: 'said to be resolved', restored: 'measured as recovered', relapsed: 'failed again',
    reopened: 'reopened', closed: 'closed', cancelled: 'cancelled', noted: 'note', estimated: 'estimate given', evidence_changed: 'evidence updated', clock_warned: 'deadline warning', transferred: 'transferred',
    disputed: 'disputed', upheld: 'dispute upheld', rejected: 'dispute rejected', check_asked: 'officers and probes near by asked to check', unverified: 'unverified', related: 'related', covered: 'covers another disturbance too', uncovered: 'disturbance taken out', attached: 'attachment', withdrawn: 'withdrawn',
  },
  measurement: 'measurement',
  officer: 'officer of the station',
  measuredOnly: 'by measurement, without a word from the operator',
  retracted: 'retracted by measurement',
  merged: (other) => `merged into ${other}`,
  relation: {
    parent: (other) => `part of ticket ${other}`, child: (other) => `ticket ${other} is a part of this one`, mergedInto: (other) => `merged into ticket ${other}`,
    merged: (other) => `ticket ${other} was merged into this one`, splitFrom: (other) => `split from ticket ${other}`, splitInto: (other) => `a part was split into ticket ${other}`,
  },
  notWellYet: (disturbances) => `Not well yet: ${disturbances}`,
  notMeasured: (disturbances) => `Not measured: ${disturbances}`,
  gone: 'This link does not work',
  goneHow: 'It is wrong, its time is over, or the ticket is no longer with your organisation. Ask the monitoring centre for a new link.',
  tooLarge: 'Too much was sent',
  tooLargeHow: 'Shorten the text and send it again. Nothing was kept.',
  notForm: 'This is not understood',
  notFormHow: 'This page takes its own form alone. Open your link again. Nothing was kept.',
  fault: 'The fault is ours',
  faultHow: (reference) => `Try again in a moment. If it happens again, tell the monitoring centre: ${reference}`,
}

export const linkWords: Readonly<Record<'id' | 'en', LinkWords>> = { id, en }
