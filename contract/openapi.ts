import { Type, type TSchema } from 'typebox'
import {
  AckAlarms, AckAlarmsCreate, Alarm, AlarmCreate, AlarmDetail, AlarmPatch, AlarmRows, AlertGroup, AlertReceipt, ClearAlarms, ClearAlarmsCreate, CommentAlarms, CommentAlarmsCreate, labelNames, RefusedAlarms, UnAckAlarms,
} from './alarm.ts'
import { AndroidPublished } from './android.ts'
import { auditQuery, AuditRows, proofQuery } from './audit.ts'
import { CellViews, Challenge, ChallengeCreate, ChallengeDecision, Difference, Edition, EditionEntry } from './atlas.ts'
import { AnnouncementGiven, AnnouncementReceipts, AnnouncementRow, AnnouncementRows } from './announcement.ts'
import { CommentGiven, CommentRow, CommentRows } from './comment.ts'
import { ContactCompleteness, ContactGiven, ContactRow, ContactRows, contactsQuery } from './contact.ts'
import { DisturbanceTurns, Live, LiveDisturbance, LiveTicket, Session, StationDetail, StationRows } from './live.ts'
import { ImpactInForce } from './impact.ts'
import { Knowledge, knowledgeQuery } from './knowledge.ts'
import { KeyGiven, KeyMade, KeyRow, KeyRows } from './key.ts'
import { LogInWays, PasskeyAssertion, PasskeyGiven, PasskeyOptions, PasskeyPatch, PasskeyRow, Passkeys, ProviderAddress, ProviderAnswer, SessionRow, SessionRows } from './log-in.ts'
import { Located } from './ndt.ts'
import { Problem, problems, type ProblemCode } from './problem.ts'
import { AuditorKeyGiven, AuditorKeyRow, AuditorKeyRows, SampleDetail, SampleGiven, sampleQuery, SampleRow, SampleRows, SampleScope, sampleScopeQuery, SampleSlot, slotQuery } from './sample.ts'
import {
  AccessPoint, AccessPoints, accessQuery, AccessState, AccessStateAnswer, Campaign, campaignQuery, CampaignStations, campaignStationsQuery, MovesPage, movesQuery, PositionDecision, PositionFix, PositionFixes, PositionGiven,
  PositionMeasured, PositionReceipt, positionsQuery, ReadinessPage, readinessQuery, ReadinessRow, ReadinessSummary, Reminded, ReminderOrder, SitingAnswer, SitingDecisions, SitingQuestion, SitingResults, StationReadiness, summaryQuery,
} from './readiness.ts'
import { cose_type, list_type } from './handing-in.ts'
import { completenessQuery, gapsQuery, RecapCompleteness, RecapGaps } from './completeness.ts'
import { ComparedSlots, comparedSlotsQuery, comparisonQuery, RecapComparison, RecapSlot } from './comparison.ts'
import { PhotoState, RecapRecord, RecapState, StationRecaps } from './recap.ts'
import { BoxRows, BoxTold, boxesQuery, conflictsQuery, RecapConflicts, RecapOverview, recapOverviewQuery, StuckRecaps, stuckQuery } from './recap-overview.ts'
import { WitnessedLogs } from './witness.ts'
import { PushGiven, PushRow, PushState, PushTried } from './push.ts'
import { PlannedWorkCreate, PlannedWorkDetail, PlannedWorkPatch, PlannedWorkReceipt, PlannedWorkRow, PlannedWorkRows, plannedWorkStates } from './planned-work.ts'
import { Hub, HubCreate, TroubleTicket, TroubleTicketCreate, TroubleTicketPatch, TrackRecords, trackRecordQuery } from './ticket.ts'
import { OfficerProblem, OfficerProblemGiven, OfficerProblems, OfficerProblemWord, Pack, PackDelta, SigmonConfig, SupervisorLetters, VerifyingKeys } from './sigmon.ts'
import { Enrolled, Enrolment, Ping, ReportBatch, ReportReceipt, Sample, UploadTiming } from './report.ts'

interface Operation {
  readonly method: 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete'
  readonly path: string
  readonly tag: 'officers' | 'console' | 'organisations' | 'ledger' | 'readiness' | 'tickets' | 'alarms' | 'atlas' | 'operating'
  readonly summary: string
  readonly security: 'device' | 'session' | 'key' | 'none'
  readonly body?: TSchema
  /** Media type of the body, where it is not application/json. */
  readonly takes?: string
  /** Another media type that the body alone may have. */
  readonly takesToo?: string
  /** Another media type that body and answer may both have. */
  readonly also?: string
  readonly query?: Readonly<Record<string, TSchema>>
  readonly answer: readonly [number, TSchema | string]
  readonly problems: readonly ProblemCode[]
}

const Health = Type.Object({ ok: Type.Boolean() })

const tmf = '/tmf-api/troubleTicket/v5'
const fields = Type.Optional(Type.String({ description: 'attributes, with commas (TMF630); those of an attribute behind a point, one level deep' }))
const page = {
  fields, status: Type.Optional(Type.String({ description: 'statuses of TMF621, with commas' })), lifecycle: Type.Optional(Type.String({ description: 'statuses of ours, with commas' })),
  offset: Type.Optional(Type.Integer({ minimum: 0 })), limit: Type.Optional(Type.Integer({ minimum: 0, maximum: 500 })),
}

const tmf642 = '/tmf-api/alarmManagement/v4'
const list = Type.Optional(Type.String({ description: 'values, with commas' }))
const instant = Type.Optional(Type.String({ format: 'date-time' }))
const ticketFilters = {
  ...page, id: list, severity: list, ticketType: list, priority: list, 'externalIdentifier.id': list, 'relatedEntity.id': list, 'relatedParty.id': Type.Optional(Type.String({ description: 'the operator concerned' })),
  ...Object.fromEntries(['creationDate', 'lastUpdate', 'statusChangeDate'].flatMap((name) => ['gt', 'gte', 'lt', 'lte'].map((is) => [`${name}.${is}`, instant]))),
  sort: Type.Optional(Type.String({ description: 'creationDate, lastUpdate or statusChangeDate, with a - before it downwards; newest first without it' })),
}
const alarmFilters = {
  fields, id: list, externalAlarmId: list, state: list, perceivedSeverity: list, alarmType: list, probableCause: list, sourceSystemId: list, ackState: list, 'alarmedObject.id': list,
  'alarmRaisedTime.gte': instant, 'alarmRaisedTime.lt': instant, 'alarmChangedTime.gte': instant, 'alarmChangedTime.lt': instant, offset: page.offset, limit: page.limit,
}
const alarmTasks = [
  ['ackAlarms', 'Acknowledge alarms of your own that match', AckAlarmsCreate, AckAlarms], ['unAckAlarms', 'Take an acknowledgement back', AckAlarmsCreate, UnAckAlarms],
  ['clearAlarms', 'Clear alarms of your own that match', ClearAlarmsCreate, ClearAlarms], ['commentAlarms', 'Comment alarms of your own that match', CommentAlarmsCreate, CommentAlarms],
] as const
const ndt7 = { access_token: Type.String({ description: 'of GET /v2/nearest/ndt/ndt7: one test, one minute' }) }
const edition = '/v1/atlas/editions/{id}'
const layer = { operator: Type.String({ description: 'an organisation, or any: the best of all' }), technology: Type.String({ description: 'gsm, umts, lte, nr or fixed, or any' }) }
const region = Type.String({ pattern: '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$' })
const challengeFilters = Object.fromEntries(['status', 'edition', 'operator', 'technology', 'cell', 'station'].map((name) => [name, Type.Optional(Type.String())]))

/** Every address of the platform: its own interface, and tickets by TM Forum's TMF621 v5. */
export const operations: readonly Operation[] = [
  { method: 'post', path: '/v1/devices', tag: 'officers', summary: "Enrol a device with the code of its station's letter, which is the officers' or the supervisor's and says the role; 200 with the same device when the station knows its key", security: 'none', body: Enrolment, answer: [201, Enrolled], problems: ['body_invalid', 'station_unknown', 'code_wrong', 'proof_wrong', 'role_other', 'station_full', 'too_many_attempts'] },
  { method: 'post', path: '/v1/reports', tag: 'officers', summary: 'Report samples; they are on disk before the 202', security: 'device', body: ReportBatch, also: 'application/cbor', answer: [202, ReportReceipt], problems: ['body_invalid', 'device_unknown', 'not_allowed', 'overloaded', 'too_large', 'storage_full'] },
  { method: 'get', path: '/v1/ping', tag: 'officers', summary: 'A small answer, for round-trip times, with what the platform sees of the election server', security: 'none', answer: [200, Ping], problems: [] },
  { method: 'get', path: '/v1/probe/down', tag: 'officers', summary: 'Bytes to time a download with', security: 'none', query: { bytes: Type.Integer({ minimum: 1, maximum: 150_000 }) }, answer: [200, 'application/octet-stream'], problems: ['body_invalid'] },
  { method: 'post', path: '/v1/probe/up', tag: 'officers', summary: 'At most 75,000 bytes; the server times them', security: 'none', takes: 'application/octet-stream', body: Type.String({ maxLength: 75_000 }), answer: [200, UploadTiming], problems: ['body_invalid', 'too_large'] },
  { method: 'get', path: '/v2/nearest/ndt/ndt7', tag: 'officers', summary: "Where to run a full test (ndt7), in the form of M-Lab's Locate API v2; 204 with Retry-After when there is no place", security: 'none', query: { bytes_max: Type.Optional(Type.Integer({ minimum: 1, description: 'bytes each way' })) }, answer: [200, Located], problems: ['body_invalid'] },
  { method: 'get', path: '/ndt/v7/download', tag: 'officers', summary: 'ndt7 0.11: an upgrade to a WebSocket, over which the server sends', security: 'none', query: ndt7, answer: [101, ''], problems: ['body_invalid', 'token_invalid', 'no_slot'] },
  { method: 'get', path: '/ndt/v7/upload', tag: 'officers', summary: 'ndt7 0.11: an upgrade to a WebSocket, over which the client sends', security: 'none', query: ndt7, answer: [101, ''], problems: ['body_invalid', 'token_invalid', 'no_slot'] },
  { method: 'get', path: '/v1/sigmon/keys', tag: 'officers', summary: 'Public keys that configuration and packs are signed with', security: 'none', answer: [200, VerifyingKeys], problems: [] },
  { method: 'get', path: '/v1/sigmon/config', tag: 'officers', summary: 'The signed configuration, a JWS whose payload is a SigmonConfig; 304 by its ETag', security: 'none', answer: [200, 'application/jose'], problems: [] },
  { method: 'get', path: '/v1/packs/{district}', tag: 'officers', summary: 'The signed pack of a district, or a delta to it (spec/sigmon.md); 304 by its ETag', security: 'none', query: { since: Type.Optional(Type.String({ pattern: '^[0-9a-f]{16}$', description: 'version of the pack that is held' })) }, answer: [200, 'application/octet-stream'], problems: ['body_invalid', 'not_found'] },
  { method: 'get', path: '/v1/android', tag: 'officers', summary: 'The package of Sigmon for Android that is handed out: phones ask once a day; 304 by its ETag', security: 'none', answer: [200, AndroidPublished], problems: ['not_found'] },
  { method: 'get', path: '/android/sigmon.apk', tag: 'officers', summary: 'The package itself, whole or a part of it by Range; 304 by its ETag, which is its SHA-256', security: 'none', answer: [200, 'application/vnd.android.package-archive'], problems: ['not_found', 'version_conflict'] },
  { method: 'get', path: '/android/sigmon-{code}.apk', tag: 'officers', summary: 'A version of the package by its versionCode, until it is withdrawn', security: 'none', answer: [200, 'application/vnd.android.package-archive'], problems: ['not_found', 'version_conflict'] },
  { method: 'post', path: '/v1/problems', tag: 'officers', summary: 'Report a problem; it becomes a ticket. 200 when this phone sent it before', security: 'device', body: OfficerProblemGiven, answer: [201, OfficerProblem], problems: ['body_invalid', 'device_unknown', 'state_conflict', 'too_many_problems', 'storage_full'] },
  { method: 'get', path: '/v1/problems', tag: 'officers', summary: 'The newest 50 problems of this phone, and what became of them', security: 'device', answer: [200, OfficerProblems], problems: ['device_unknown'] },
  { method: 'post', path: '/v1/problems/{id}/word', tag: 'officers', summary: 'Say of a problem that is called resolved whether it is', security: 'device', body: OfficerProblemWord, answer: [200, OfficerProblem], problems: ['body_invalid', 'device_unknown', 'not_found', 'state_conflict'] },
  { method: 'post', path: '/v1/supervisor-letters', tag: 'organisations', summary: "Codes and links for letters of the stations' supervisors, as CSV: Bawaslu's to issue, and written down each time", security: 'session', body: SupervisorLetters, answer: [200, 'text/csv'], problems: ['body_invalid', 'session_missing', 'not_allowed', 'not_found'] },
  { method: 'post', path: '/v1/recaps', tag: 'officers', summary: 'Hand in a signed record (spec/recap.md), of whichever phone: it is on disk and in the ledger before the 201, and the answer is its receipt (tlog-proof, spec/ledger.md); 200 with the same receipt when it was there before', security: 'device', takes: cose_type, body: Type.String({ maxLength: 8_192 }), answer: [201, 'text/plain'], problems: ['body_invalid', 'recap_unreadable', 'device_unknown', 'signature_wrong', 'key_missing', 'overloaded', 'too_large', 'not_ready', 'storage_full'] },
  { method: 'get', path: '/v1/recaps/{hash}', tag: 'officers', summary: 'What became of a record', security: 'device', answer: [200, RecapState], problems: ['device_unknown', 'not_found'] },
  { method: 'get', path: '/v1/recaps/{hash}/receipt', tag: 'officers', summary: 'Its receipt, always the same', security: 'device', answer: [200, 'text/plain'], problems: ['device_unknown', 'not_found', 'not_ready'] },
  { method: 'get', path: '/v1/recaps/{hash}/witnessed', tag: 'officers', summary: 'That the ledger holds it and that a quorum of witnesses has seen the ledger with it: a tlog-proof with their cosignatures, always the same under one policy (spec/ledger.md)', security: 'device', answer: [200, 'text/plain'], problems: ['device_unknown', 'not_found', 'not_ready'] },
  { method: 'get', path: '/v1/recaps/{hash}/delivery', tag: 'officers', summary: "That the ledger holds the receiver's answer to it: a tlog-proof whose extra is the entry (spec/recap.md)", security: 'device', answer: [200, 'text/plain'], problems: ['device_unknown', 'not_found', 'not_ready'] },
  { method: 'get', path: '/v1/stations/{code}/recaps', tag: 'console', summary: 'Recaps of a station: what counts, by contest, with corrections and conflicts, and what is in quarantine', security: 'session', answer: [200, StationRecaps], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'put', path: '/v1/recaps/{hash}/photos', tag: 'officers', summary: 'The list of its photos, whose hash the record holds (spec/recap.md): from then on they may come', security: 'device', takes: list_type, body: Type.String({ maxLength: 20_000 }), answer: [204, ''], problems: ['body_invalid', 'device_unknown', 'not_found', 'state_conflict', 'too_large', 'storage_full'] },
  { method: 'post', path: '/v1/photos', tag: 'officers', summary: 'Begin to send a photo by tus 1.0.0: Upload-Length, and Upload-Metadata with sha256; its address is its content', security: 'device', answer: [201, ''], problems: ['body_invalid', 'device_unknown', 'photo_unexpected', 'tus_version'] },
  { method: 'head', path: '/v1/photos/{photo}', tag: 'officers', summary: 'How many bytes of a photo are on disk (tus 1.0.0)', security: 'device', answer: [200, ''], problems: ['device_unknown', 'not_found', 'photo_unexpected', 'tus_version', 'upload_locked'] },
  { method: 'patch', path: '/v1/photos/{photo}', tag: 'officers', summary: 'The next bytes of a photo (tus 1.0.0), best 256 KB at a time; on disk before the 204', security: 'device', takes: 'application/offset+octet-stream', body: Type.String(), answer: [204, ''], problems: ['body_invalid', 'device_unknown', 'not_found', 'photo_unexpected', 'offset_conflict', 'tus_version', 'too_large', 'upload_locked', 'overloaded', 'photo_other', 'storage_full'] },
  { method: 'put', path: '/v1/boxes/self', tag: 'officers', summary: 'What a box at an access point says of itself: what it still carries', security: 'device', body: BoxTold, answer: [204, ''], problems: ['body_invalid', 'device_unknown', 'not_allowed', 'storage_full'] },
  { method: 'get', path: '/v1/boxes', tag: 'console', summary: 'Boxes at access points: what each still carries, and when it was heard; the oldest load first', security: 'session', query: boxesQuery, answer: [200, BoxRows], problems: ['body_invalid', 'session_missing', 'not_allowed'] },
  { method: 'get', path: '/v1/audits/scope', tag: 'console', summary: 'What a draw would be fixed to: the roster, the newest checkpoint, and how many stations areas have', security: 'session', query: sampleScopeQuery, answer: [200, SampleScope], problems: ['body_invalid', 'session_missing', 'not_allowed', 'not_ready'] },
  { method: 'get', path: '/v1/audits/roster', tag: 'console', summary: 'The roster that is drawn from now: one code of a station a line, in order', security: 'session', answer: [200, 'text/csv'], problems: ['session_missing', 'not_allowed'] },
  { method: 'post', path: '/v1/audits', tag: 'console', summary: 'Draw stations by dice that were thrown in public (spec/sample.md): for ever in the ledger. People of Bawaslu alone', security: 'session', body: SampleGiven, answer: [201, SampleDetail], problems: ['body_invalid', 'session_missing', 'not_allowed', 'state_conflict', 'not_ready'] },
  { method: 'get', path: '/v1/audits', tag: 'console', summary: 'All draws, the newest first, with what was found', security: 'session', answer: [200, SampleRows], problems: ['session_missing', 'not_allowed'] },
  { method: 'get', path: '/v1/audits/{id}', tag: 'console', summary: 'One draw: the stations and what was found at each; CSV too', security: 'session', query: sampleQuery, answer: [200, SampleDetail], problems: ['body_invalid', 'session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/audits/{id}/slots/{station}/{contest}', tag: 'console', summary: 'What there is to compare at a drawn station: records with their photos, and their numbers where they are asked for', security: 'session', query: slotQuery, answer: [200, SampleSlot], problems: ['body_invalid', 'session_missing', 'not_allowed', 'not_found'] },
  { method: 'post', path: '/v1/audits/{id}/findings', tag: 'console', summary: 'A finding that its auditor signed, with his own key: in the ledger before the 201, and the answer is its receipt (tlog-proof); 200 with the same receipt when it was there before', security: 'session', takes: cose_type, body: Type.String({ maxLength: 8_192 }), answer: [201, 'text/plain'], problems: ['body_invalid', 'finding_unreadable', 'session_missing', 'not_allowed', 'signature_wrong', 'key_missing', 'not_found', 'state_conflict', 'not_ready', 'too_large'] },
  { method: 'get', path: '/v1/audits/keys', tag: 'console', summary: "Keys of auditors, those that were withdrawn too", security: 'session', answer: [200, AuditorKeyRows], problems: ['session_missing', 'not_allowed'] },
  { method: 'post', path: '/v1/audits/keys', tag: 'console', summary: 'Enrol a key that your own findings are signed with: an entry of the ledger; 200 when it is there. People of Bawaslu alone', security: 'session', body: AuditorKeyGiven, answer: [201, AuditorKeyRow], problems: ['body_invalid', 'session_missing', 'not_allowed', 'state_conflict', 'not_ready'] },
  { method: 'delete', path: '/v1/audits/keys/{kid}', tag: 'console', summary: 'Withdraw a key of your organisation: what it signs from then on is refused, what it signed stays', security: 'session', answer: [204, ''], problems: ['session_missing', 'not_allowed', 'not_found', 'not_ready'] },
  { method: 'get', path: '/v1/audits/photos/{photo}', tag: 'console', summary: 'A photo of a form that is here whole, by its hash and size', security: 'session', answer: [200, 'image/jpeg'], problems: ['session_missing', 'not_allowed', 'not_found', 'not_ready'] },
  { method: 'get', path: '/v1/recaps/overview', tag: 'console', summary: 'Recaps that are due and that came, by the areas in an area, by contest and by time zone; CSV of the areas too', security: 'session', query: recapOverviewQuery, answer: [200, RecapOverview], problems: ['body_invalid', 'session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/recaps/stuck', tag: 'console', summary: 'Records that do not get on, the oldest first: in quarantine, not delivered, or without their photos, and what mends each; CSV of a page too', security: 'session', query: stuckQuery, answer: [200, StuckRecaps], problems: ['body_invalid', 'session_missing', 'not_allowed'] },
  { method: 'get', path: '/v1/recaps/completeness', tag: 'console', summary: 'What lacks between what is due and what the receiver has, by kind and by the areas in an area, as far as the platform itself can know', security: 'session', query: completenessQuery, answer: [200, RecapCompleteness], problems: ['body_invalid', 'session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/recaps/completeness/gaps', tag: 'console', summary: 'What lacks, line by line, with who can mend it, the newest first; CSV of all of a kind too', security: 'session', query: gapsQuery, answer: [200, RecapGaps], problems: ['body_invalid', 'session_missing', 'not_allowed'] },
  { method: 'get', path: '/v1/recaps/comparison', tag: 'console', summary: 'What officers of KPU and supervisors of Bawaslu each say of the same forms: how many agree, differ, or are there from one side alone, by the areas in an area; CSV of the areas too', security: 'session', query: comparisonQuery, answer: [200, RecapComparison], problems: ['body_invalid', 'session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/recaps/comparison/slots', tag: 'console', summary: 'Contests of stations that come to one thing when the two sides are laid beside each other, with each field that differs; as CSV all of them', security: 'session', query: comparedSlotsQuery, answer: [200, ComparedSlots], problems: ['body_invalid', 'session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/recaps/slots/{station}/{contest}', tag: 'console', summary: 'One contest at one station: the records of both sides with their numbers, hashes, keys, receipts and photos', security: 'session', answer: [200, RecapSlot], problems: ['session_missing', 'not_allowed', 'not_found', 'not_ready'] },
  { method: 'get', path: '/v1/recaps/conflicts', tag: 'console', summary: 'Contests of stations with several records that nothing corrects, with the numbers of each', security: 'session', query: conflictsQuery, answer: [200, RecapConflicts], problems: ['body_invalid', 'session_missing', 'not_allowed'] },
  { method: 'get', path: '/ledger/checkpoint', tag: 'ledger', summary: 'The newest signed checkpoint (C2SP tlog-checkpoint), with the cosignatures that it has by now', security: 'none', answer: [200, 'text/plain'], problems: [] },
  { method: 'get', path: '/ledger/witnessed', tag: 'ledger', summary: 'The newest checkpoint that a quorum of witnesses has cosigned (C2SP tlog-cosignature)', security: 'none', answer: [200, 'text/plain'], problems: ['not_found', 'not_ready'] },
  { method: 'get', path: '/v1/ledger/witnesses', tag: 'ledger', summary: 'How the witnesses of each log do: what each has seen, when, and what is wrong', security: 'session', answer: [200, WitnessedLogs], problems: ['session_missing', 'not_allowed'] },
  { method: 'get', path: '/ledger/key', tag: 'ledger', summary: "The ledger's key, as C2SP signed-note writes it", security: 'none', answer: [200, 'text/plain'], problems: [] },
  { method: 'get', path: '/ledger/tile/{tile}', tag: 'ledger', summary: 'A tile or a bundle of entries (C2SP tlog-tiles); it never changes', security: 'none', answer: [200, 'application/octet-stream'], problems: ['not_found'] },
  { method: 'get', path: '/acts/checkpoint', tag: 'ledger', summary: 'The newest signed checkpoint of the log of acts (spec/acts.md)', security: 'none', answer: [200, 'text/plain'], problems: ['not_ready'] },
  { method: 'get', path: '/acts/key', tag: 'ledger', summary: 'The key of the log of acts', security: 'none', answer: [200, 'text/plain'], problems: ['not_ready'] },
  { method: 'get', path: '/acts/tile/{tile}', tag: 'ledger', summary: 'A tile or a bundle of entries of the log of acts', security: 'none', answer: [200, 'application/octet-stream'], problems: ['not_found', 'not_ready'] },
  { method: 'get', path: '/v1/session', tag: 'console', summary: 'Who is logged in, and what they may do', security: 'session', answer: [200, Session], problems: ['session_missing'] },
  { method: 'post', path: '/v1/session', tag: 'console', summary: 'Log in with the token of a one-time link', security: 'none', body: Type.Object({ token: Type.String() }), answer: [200, Session], problems: ['link_spent', 'person_refused', 'too_many_attempts'] },
  { method: 'delete', path: '/v1/session', tag: 'console', summary: 'Log out', security: 'session', answer: [204, ''], problems: [] },
  { method: 'get', path: '/v1/session/ways', tag: 'console', summary: 'How people log in here', security: 'none', answer: [200, LogInWays], problems: [] },
  { method: 'post', path: '/v1/session/passkey/options', tag: 'console', summary: 'Begin to log in with a passkey: what the browser asks its device with; ends within 5 minutes, in the same browser', security: 'none', answer: [200, PasskeyOptions], problems: ['state_conflict'] },
  { method: 'post', path: '/v1/session/passkey', tag: 'console', summary: 'Log in with a passkey', security: 'none', body: PasskeyAssertion, answer: [200, Session], problems: ['body_invalid', 'ceremony_over', 'passkey_refused', 'person_refused', 'state_conflict', 'too_many_attempts'] },
  { method: 'post', path: '/v1/session/provider/{provider}', tag: 'console', summary: 'Begin to log in at a provider: where the browser goes; ends within 5 minutes, in the same browser', security: 'none', answer: [200, ProviderAddress], problems: ['not_found', 'state_conflict', 'provider_silent'] },
  { method: 'post', path: '/v1/session/provider', tag: 'console', summary: 'Log in with what the provider sent the browser back with', security: 'none', body: ProviderAnswer, answer: [200, Session], problems: ['body_invalid', 'ceremony_over', 'provider_refused', 'person_refused', 'version_conflict', 'too_many_attempts', 'provider_silent'] },
  { method: 'get', path: '/v1/sessions', tag: 'console', summary: 'Your own sessions, the last used first; by session, not by a key', security: 'session', answer: [200, SessionRows], problems: ['session_missing', 'not_allowed'] },
  { method: 'delete', path: '/v1/sessions/{id}', tag: 'console', summary: 'End a session of your own', security: 'session', answer: [204, ''], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/passkeys', tag: 'console', summary: 'Your own passkeys, at most ten; by session, not by a key', security: 'session', answer: [200, Passkeys], problems: ['session_missing', 'not_allowed'] },
  { method: 'post', path: '/v1/passkeys/options', tag: 'console', summary: 'Begin a new passkey: what the browser has its device make it by; ends within 5 minutes, in the same browser', security: 'session', answer: [200, PasskeyOptions], problems: ['session_missing', 'not_allowed', 'state_conflict'] },
  { method: 'post', path: '/v1/passkeys', tag: 'console', summary: 'Keep the new passkey under a name', security: 'session', body: PasskeyGiven, answer: [201, PasskeyRow], problems: ['session_missing', 'not_allowed', 'body_invalid', 'ceremony_over', 'passkey_refused', 'state_conflict'] },
  { method: 'patch', path: '/v1/passkeys/{id}', tag: 'console', summary: 'Give a passkey of your own another name', security: 'session', body: PasskeyPatch, answer: [200, PasskeyRow], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid'] },
  { method: 'delete', path: '/v1/passkeys/{id}', tag: 'console', summary: 'Remove a passkey of your own; sessions that were begun with it stay', security: 'session', answer: [204, ''], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/live', tag: 'console', summary: 'Server-sent events: a snapshot, then changed rows at most once a second', security: 'session', answer: [200, 'text/event-stream'], problems: ['session_missing'] },
  { method: 'get', path: '/v1/snapshot', tag: 'console', summary: 'What the feed begins with, once', security: 'session', answer: [200, Live], problems: ['session_missing'] },
  { method: 'get', path: '/v1/stations', tag: 'console', summary: 'Stations of an area, worst first', security: 'session', query: { area: Type.String({ pattern: '^[0-9]{2,10}$' }), bbox: Type.Optional(Type.String({ description: 'west,south,east,north in degrees' })) }, answer: [200, StationRows], problems: ['session_missing', 'body_invalid'] },
  { method: 'get', path: '/v1/stations/{code}', tag: 'console', summary: 'Why a station has its status', security: 'session', answer: [200, StationDetail], problems: ['session_missing', 'station_unknown'] },
  { method: 'get', path: '/v1/disturbances', tag: 'console', summary: 'Disturbances that you may see, newest first', security: 'session', answer: [200, Type.Array(LiveDisturbance)], problems: ['session_missing'] },
  { method: 'get', path: '/v1/disturbances/{id}', tag: 'console', summary: 'One disturbance with its evidence', security: 'session', answer: [200, LiveDisturbance], problems: ['session_missing', 'not_found'] },
  { method: 'get', path: '/v1/disturbances/{id}/turns', tag: 'console', summary: 'Every turn that a disturbance took, with its reason, in order', security: 'session', answer: [200, DisturbanceTurns], problems: ['session_missing', 'not_found'] },
  { method: 'get', path: '/v1/disturbances/{id}/comments', tag: 'console', summary: 'What people say of a disturbance, in the order of time: 500 at most', security: 'session', answer: [200, CommentRows], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'post', path: '/v1/disturbances/{id}/comments', tag: 'console', summary: 'Say something of a disturbance, with a file of 5 MiB at most', security: 'session', body: CommentGiven, answer: [201, CommentRow], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid', 'state_conflict', 'too_large', 'storage_full'] },
  { method: 'get', path: '/v1/disturbances/{id}/comments/{comment}/file', tag: 'console', summary: 'The file of a comment', security: 'session', answer: [200, 'application/octet-stream'], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/impact/settings', tag: 'console', summary: 'How priorities are worked out: weights and deadlines in force', security: 'session', answer: [200, ImpactInForce], problems: ['session_missing'] },
  { method: 'post', path: '/v1/disturbances/{id}/ticket', tag: 'console', summary: 'Open its ticket; there is one for each cause', security: 'session', answer: [201, LiveTicket], problems: ['session_missing', 'not_found', 'not_allowed', 'state_conflict'] },
  { method: 'get', path: '/v1/track-record', tag: 'organisations', summary: 'What operators did about the tickets opened in a span of time; text/csv when Accept asks for it', security: 'session', query: trackRecordQuery, answer: [200, TrackRecords], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'get', path: '/v1/announcements', tag: 'organisations', summary: 'Announcements to your organisation, and its own, whose time is not over', security: 'session', answer: [200, AnnouncementRows], problems: ['session_missing', 'not_allowed'] },
  { method: 'post', path: '/v1/announcements', tag: 'organisations', summary: 'Announce to organisations or kinds of them', security: 'session', body: AnnouncementGiven, answer: [201, AnnouncementRow], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'post', path: '/v1/announcements/{id}/acknowledge', tag: 'organisations', summary: 'Say that your organisation has read it', security: 'session', answer: [200, AnnouncementRow], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/announcements/{id}/receipts', tag: 'organisations', summary: 'Who has read an announcement of yours, and who has not', security: 'session', answer: [200, AnnouncementReceipts], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/contacts', tag: 'organisations', summary: 'Duty contacts that you may see, by organisation and level', security: 'session', query: contactsQuery, answer: [200, ContactRows], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'post', path: '/v1/contacts', tag: 'organisations', summary: 'Add a duty contact of your organisation, at most 50', security: 'session', body: ContactGiven, answer: [201, ContactRow], problems: ['session_missing', 'not_allowed', 'body_invalid', 'state_conflict'] },
  { method: 'get', path: '/v1/contacts/completeness', tag: 'organisations', summary: 'What the duty contacts of operators, ISPs and BAKTI lack, or those of your own organisation', security: 'session', answer: [200, ContactCompleteness], problems: ['session_missing', 'not_allowed'] },
  { method: 'put', path: '/v1/contacts/{id}', tag: 'organisations', summary: 'Write a duty contact of your organisation anew', security: 'session', body: ContactGiven, answer: [200, ContactRow], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid', 'state_conflict'] },
  { method: 'delete', path: '/v1/contacts/{id}', tag: 'organisations', summary: 'Delete a duty contact of your organisation, for good', security: 'session', answer: [204, ''], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/push', tag: 'organisations', summary: 'What a browser subscribes to pushes with, and your own subscriptions; by session, not by a key', security: 'session', answer: [200, PushState], problems: ['session_missing', 'not_allowed'] },
  { method: 'post', path: '/v1/push', tag: 'organisations', summary: 'Have calls and announcements pushed to this browser: 5 a person, 100 an organisation; by session, not by a key', security: 'session', body: PushGiven, answer: [201, PushRow], problems: ['session_missing', 'not_allowed', 'body_invalid', 'state_conflict'] },
  { method: 'delete', path: '/v1/push/{id}', tag: 'organisations', summary: 'End a subscription of yours; by session, not by a key', security: 'session', answer: [204, ''], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'post', path: '/v1/push/{id}/test', tag: 'organisations', summary: 'Push a try to a subscription of yours; by session, not by a key', security: 'session', answer: [200, PushTried], problems: ['session_missing', 'not_allowed', 'not_found', 'state_conflict'] },
  { method: 'get', path: '/v1/keys', tag: 'organisations', summary: 'Valid API keys of your organisation, never the keys themselves; by session, not by a key', security: 'session', answer: [200, KeyRows], problems: ['session_missing', 'not_allowed'] },
  { method: 'post', path: '/v1/keys', tag: 'organisations', summary: 'Make an API key of your organisation; two are valid at a time; by session, not by a key', security: 'session', body: KeyGiven, answer: [201, KeyMade], problems: ['session_missing', 'not_allowed', 'body_invalid', 'state_conflict'] },
  { method: 'delete', path: '/v1/keys/{id}', tag: 'organisations', summary: 'End an API key of your organisation; by session, not by a key', security: 'session', answer: [204, ''], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/audit', tag: 'organisations', summary: 'Who did what, newest first: everything for Bawaslu and the monitoring centre, else what was done in the name of your organisation; CSV too', security: 'key', query: auditQuery, answer: [200, AuditRows], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'get', path: '/v1/knowledge', tag: 'organisations', summary: 'Who knew what when, of a disturbance or a ticket: what was measured, whom it was told, who answered and acted; each as far as you may see it; CSV too', security: 'session', query: knowledgeQuery, answer: [200, Knowledge], problems: ['session_missing', 'not_allowed', 'body_invalid', 'not_found'] },
  { method: 'get', path: '/v1/audit/{id}/proof', tag: 'organisations', summary: 'That the log of acts holds an act that you may read: a tlog-proof whose extra is the entry, the salt and the row (spec/acts.md)', security: 'key', query: proofQuery, answer: [200, 'text/plain'], problems: ['session_missing', 'not_allowed', 'body_invalid', 'not_found', 'not_ready'] },
  { method: 'get', path: '/v1/readiness', tag: 'readiness', summary: 'How ready stations are to send, from a plan; CSV too', security: 'key', query: readinessQuery, answer: [200, ReadinessPage], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid'] },
  { method: 'get', path: '/v1/readiness/summary', tag: 'readiness', summary: 'Stations by class, area by area', security: 'key', query: summaryQuery, answer: [200, ReadinessSummary], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid'] },
  { method: 'get', path: '/v1/stations/{code}/readiness', tag: 'readiness', summary: 'Everything known of one station before the day, and its ways to send', security: 'key', answer: [200, StationReadiness], problems: ['session_missing', 'not_allowed', 'station_unknown'] },
  { method: 'get', path: '/v1/siting/moves', tag: 'readiness', summary: 'Better venues that the newest plan proposes; CSV too', security: 'key', query: movesQuery, answer: [200, MovesPage], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid'] },
  { method: 'post', path: '/v1/siting/decisions', tag: 'readiness', summary: 'Accept, refuse or withdraw moves, each by itself; an accepted one dates the station', security: 'key', body: SitingDecisions, answer: [200, SitingResults], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'post', path: '/v1/siting/what-if', tag: 'readiness', summary: 'What other limits would propose for a regency or less; nothing is kept', security: 'key', body: SitingQuestion, answer: [200, SitingAnswer], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid', 'state_conflict'] },
  { method: 'post', path: '/v1/stations/{code}/position', tag: 'readiness', summary: 'Give the position of a station', security: 'key', body: PositionGiven, answer: [201, PositionReceipt], problems: ['session_missing', 'not_allowed', 'station_unknown', 'body_invalid', 'state_conflict'] },
  { method: 'post', path: '/v1/position', tag: 'officers', summary: 'Where the station stands, by an officer\'s device, which keeps its newest alone', security: 'device', body: PositionMeasured, answer: [201, PositionReceipt], problems: ['device_unknown', 'station_unknown', 'body_invalid'] },
  { method: 'get', path: '/v1/positions', tag: 'readiness', summary: 'Positions given, oldest first', security: 'key', query: positionsQuery, answer: [200, PositionFixes], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'post', path: '/v1/positions/{id}/decision', tag: 'readiness', summary: 'Accept or refuse a position that waits', security: 'key', body: PositionDecision, answer: [200, PositionFix], problems: ['session_missing', 'not_allowed', 'not_found', 'station_unknown', 'body_invalid', 'state_conflict'] },
  { method: 'get', path: '/v1/access-points', tag: 'readiness', summary: 'Access points, their state and who depends on them; CSV too', security: 'key', query: accessQuery, answer: [200, AccessPoints], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'post', path: '/v1/access-points/{id}/state', tag: 'readiness', summary: 'Say whether an access point works', security: 'key', body: AccessState, answer: [201, AccessStateAnswer], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid'] },
  { method: 'get', path: '/v1/campaign', tag: 'readiness', summary: 'How many stations were checked before the day', security: 'key', query: campaignQuery, answer: [200, Campaign], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'get', path: '/v1/campaign/stations', tag: 'readiness', summary: 'Stations checked, unchecked, reminded; CSV too', security: 'key', query: campaignStationsQuery, answer: [200, CampaignStations], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'post', path: '/v1/campaign/reminders', tag: 'readiness', summary: 'Mark stations as reminded, and get the list to send', security: 'key', query: { format: campaignStationsQuery.format }, body: ReminderOrder, answer: [200, Reminded], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'get', path: `${tmf}/troubleTicket`, tag: 'tickets', summary: 'Tickets that you may see, newest first, with links to the pages around (RFC 8288)', security: 'key', query: ticketFilters, answer: [200, Type.Array(TroubleTicket)], problems: ['session_missing', 'body_invalid'] },
  { method: 'post', path: `${tmf}/troubleTicket`, tag: 'tickets', summary: 'Open the ticket of a disturbance, or ask something of the monitoring centre; with notes and attachments', security: 'key', body: TroubleTicketCreate, answer: [201, TroubleTicket], problems: ['session_missing', 'body_invalid', 'not_found', 'not_allowed', 'state_conflict', 'too_large'] },
  { method: 'get', path: `${tmf}/troubleTicket/{id}`, tag: 'tickets', summary: 'One ticket', security: 'key', query: { fields }, answer: [200, TroubleTicket], problems: ['session_missing', 'not_found'] },
  { method: 'patch', path: `${tmf}/troubleTicket/{id}`, tag: 'tickets', summary: 'Acknowledge, work, pause with a reason, say resolved, estimate, note, attach, dispute; the monitoring centre transfers, merges, splits, links, and answers disputes; nobody says closed', security: 'key', body: TroubleTicketPatch, takes: 'application/merge-patch+json', answer: [200, TroubleTicket], problems: ['session_missing', 'body_invalid', 'not_found', 'not_allowed', 'state_conflict', 'version_conflict', 'too_large'] },
  { method: 'delete', path: `${tmf}/troubleTicket/{id}`, tag: 'tickets', summary: 'Withdraw what your organisation asked of the monitoring centre: it is cancelled, and stays on record', security: 'key', answer: [204, ''], problems: ['session_missing', 'not_found', 'not_allowed', 'not_offered', 'state_conflict', 'version_conflict'] },
  { method: 'get', path: '/v1/tickets/{id}/attachments/{attachment}', tag: 'tickets', summary: 'What is in an attachment of a ticket that you may see', security: 'key', answer: [200, 'application/octet-stream'], problems: ['session_missing', 'not_found'] },
  { method: 'post', path: `${tmf}/hub`, tag: 'tickets', summary: 'Have events of your tickets posted to an address', security: 'key', body: HubCreate, answer: [201, Hub], problems: ['session_missing', 'body_invalid', 'not_allowed', 'state_conflict'] },
  { method: 'post', path: '/v1/peers/events/{token}', tag: 'tickets', summary: 'Where an organisation\'s own ticket system, which we call, posts its events: a hint to look there, and no more', security: 'none', body: Type.Unknown({ description: 'a notification of TMF621 v4 or v5; its event.troubleTicket.id is looked at' }), answer: [204, ''], problems: ['not_found', 'body_invalid'] },
  { method: 'get', path: `${tmf}/hub/{id}`, tag: 'tickets', summary: 'One listener', security: 'key', answer: [200, Hub], problems: ['session_missing', 'not_found'] },
  { method: 'delete', path: `${tmf}/hub/{id}`, tag: 'tickets', summary: 'Remove a listener', security: 'key', answer: [204, ''], problems: ['session_missing', 'not_found'] },
  { method: 'get', path: `${tmf642}/alarm`, tag: 'alarms', summary: 'Alarms that you may see, by TM Forum TMF642 v4, newest change first', security: 'key', query: alarmFilters, answer: [200, Type.Array(Alarm)], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'post', path: `${tmf642}/alarm`, tag: 'alarms', summary: 'An alarm of your own systems, or the present state of one by its externalAlarmId; it is on disk before the 201', security: 'key', body: AlarmCreate, answer: [201, Alarm], problems: ['session_missing', 'not_allowed', 'body_invalid', 'too_large', 'too_many_alarms', 'storage_full'] },
  { method: 'get', path: `${tmf642}/alarm/{id}`, tag: 'alarms', summary: 'One alarm', security: 'key', query: { fields }, answer: [200, Alarm], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'patch', path: `${tmf642}/alarm/{id}`, tag: 'alarms', summary: 'Change or clear an alarm of your own; what is older than its alarmChangedTime changes nothing', security: 'key', body: AlarmPatch, takes: 'application/merge-patch+json', answer: [200, Alarm], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid', 'state_conflict', 'too_large', 'too_many_alarms'] },
  ...alarmTasks.flatMap(([name, summary, body, task]): Operation[] => [
    { method: 'post', path: `${tmf642}/${name}`, tag: 'alarms', summary, security: 'key', body, answer: [201, task], problems: ['session_missing', 'not_allowed', 'body_invalid', 'too_large', 'too_many_alarms'] },
    { method: 'get', path: `${tmf642}/${name}`, tag: 'alarms', summary: `Such tasks, newest first: ${name}`, security: 'key', query: { fields, offset: page.offset, limit: page.limit }, answer: [200, Type.Array(task)], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
    { method: 'get', path: `${tmf642}/${name}/{id}`, tag: 'alarms', summary: `One such task: ${name}`, security: 'key', query: { fields }, answer: [200, task], problems: ['session_missing', 'not_allowed', 'not_found'] },
  ]),
  { method: 'post', path: '/v1/alarms/alertmanager', tag: 'alarms', summary: "Alertmanager's webhook; each alert of the group is an alarm. A label of another name is named in the address. A key may come as the password of basic authentication", security: 'key', query: Object.fromEntries(Object.entries(labelNames).map(([name, missing]) => [name, Type.Optional(Type.String({ default: missing, description: 'name of a label or annotation' }))])), body: AlertGroup, answer: [200, AlertReceipt], problems: ['session_missing', 'not_allowed', 'body_invalid', 'too_large', 'alarms_wait', 'storage_full'] },
  { method: 'get', path: '/v1/alarms', tag: 'alarms', summary: 'Alarms as the console lists them, newest change first', security: 'session', query: { operator: Type.Optional(Type.String()), state: Type.Optional(Type.Enum(['active', 'cleared', 'all'])), severity: list, source: Type.Optional(Type.Enum(['tmf642', 'alertmanager'])), placed: Type.Optional(Type.Enum(['true', 'false'])), area: Type.Optional(Type.String({ pattern: '^[0-9]{2,13}$', description: 'within it or around it' })), offset: page.offset, limit: page.limit }, answer: [200, AlarmRows], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'get', path: '/v1/alarms/refused', tag: 'alarms', summary: 'The newest hundred messages that could not be understood, and why', security: 'session', answer: [200, RefusedAlarms], problems: ['session_missing', 'not_allowed'] },
  { method: 'get', path: '/v1/alarms/{id}', tag: 'alarms', summary: 'One alarm with every message that changed it', security: 'session', answer: [200, AlarmDetail], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: '/v1/planned-work', tag: 'alarms', summary: 'Announced work that you may see, the latest beginning first', security: 'session', query: { operator: Type.Optional(Type.String()), state: Type.Optional(Type.Enum([...plannedWorkStates, 'all'])), area: Type.Optional(Type.String({ pattern: '^[0-9]{2,13}$' })), offset: page.offset, limit: page.limit }, answer: [200, PlannedWorkRows], problems: ['session_missing', 'not_allowed', 'body_invalid'] },
  { method: 'post', path: '/v1/planned-work', tag: 'alarms', summary: 'Announce work before it begins; as CSV a whole calendar, which answers 200 with PlannedWorkReceipt; 200 for work that was announced word for word before', security: 'session', body: PlannedWorkCreate, takesToo: 'text/csv', answer: [201, PlannedWorkRow], problems: ['session_missing', 'not_allowed', 'body_invalid', 'state_conflict', 'too_large'] },
  { method: 'get', path: '/v1/planned-work/{id}', tag: 'alarms', summary: 'One work with all that was said of it', security: 'session', answer: [200, PlannedWorkDetail], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'patch', path: '/v1/planned-work/{id}', tag: 'alarms', summary: 'Change work that is not over; once begun, its end, title and reason alone', security: 'session', body: PlannedWorkPatch, answer: [200, PlannedWorkRow], problems: ['session_missing', 'not_allowed', 'not_found', 'body_invalid', 'state_conflict', 'version_conflict'] },
  { method: 'delete', path: '/v1/planned-work/{id}', tag: 'alarms', summary: 'Withdraw work; it stays on record', security: 'session', answer: [204, ''], problems: ['session_missing', 'not_allowed', 'not_found', 'state_conflict', 'version_conflict'] },
  { method: 'get', path: '/v1/atlas/editions', tag: 'atlas', summary: 'Editions of the coverage atlas, newest first', security: 'session', answer: [200, Type.Array(EditionEntry)], problems: ['session_missing', 'not_allowed'] },
  { method: 'get', path: edition, tag: 'atlas', summary: 'What an edition says of itself; its id, or latest', security: 'session', answer: [200, Edition], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'get', path: `${edition}/tiles/{operator}/{technology}/{z}/{x}/{y}.mvt`, tag: 'atlas', summary: 'A vector tile of one layer: hexagons in the layer cells, each with its key as id', security: 'session', answer: [200, 'application/vnd.mapbox-vector-tile'], problems: ['session_missing', 'body_invalid', 'not_allowed', 'not_found'] },
  { method: 'get', path: `${edition}/cell/{cell}`, tag: 'atlas', summary: 'One cell in all layers that you may see', security: 'session', answer: [200, CellViews], problems: ['session_missing', 'body_invalid', 'not_allowed', 'not_found'] },
  { method: 'get', path: `${edition}/difference/{other}`, tag: 'atlas', summary: 'What became of a layer from one edition to another; CSV with Accept: text/csv', security: 'session', query: layer, answer: [200, Difference], problems: ['session_missing', 'body_invalid', 'not_allowed', 'not_found'] },
  { method: 'get', path: `${edition}/export.csv`, tag: 'atlas', summary: 'A layer of a region, one line a cell', security: 'session', query: { ...layer, region }, answer: [200, 'text/csv'], problems: ['session_missing', 'body_invalid', 'not_allowed', 'not_found'] },
  { method: 'get', path: `${edition}/export.geojson`, tag: 'atlas', summary: 'A layer of a region, one hexagon a cell', security: 'session', query: { ...layer, region }, answer: [200, 'application/geo+json'], problems: ['session_missing', 'body_invalid', 'not_allowed', 'not_found'] },
  { method: 'post', path: '/v1/atlas/challenges', tag: 'atlas', summary: 'Say that a cell or a station is not as an edition has it', security: 'session', body: ChallengeCreate, answer: [201, Challenge], problems: ['session_missing', 'body_invalid', 'not_allowed', 'not_found', 'station_unknown'] },
  { method: 'get', path: '/v1/atlas/challenges', tag: 'atlas', summary: 'Challenges that you made, that concern you, or all; newest first', security: 'session', query: { ...challengeFilters, offset: page.offset, limit: page.limit }, answer: [200, Type.Array(Challenge)], problems: ['session_missing', 'body_invalid', 'not_allowed'] },
  { method: 'get', path: '/v1/atlas/challenges/{id}', tag: 'atlas', summary: 'One challenge, and what became of it', security: 'session', answer: [200, Challenge], problems: ['session_missing', 'not_allowed', 'not_found'] },
  { method: 'post', path: '/v1/atlas/challenges/{id}/decision', tag: 'atlas', summary: 'Accept or refuse a challenge; accepted, it is evidence for the next edition', security: 'session', body: ChallengeDecision, answer: [200, Challenge], problems: ['session_missing', 'body_invalid', 'not_allowed', 'not_found', 'state_conflict'] },
  { method: 'get', path: '/healthz', tag: 'operating', summary: 'The process answers', security: 'none', answer: [200, Health], problems: [] },
  { method: 'get', path: '/readyz', tag: 'operating', summary: 'The database answers too', security: 'none', answer: [200, Health], problems: ['not_ready'] },
  { method: 'get', path: '/metrics', tag: 'operating', summary: 'Prometheus text format', security: 'none', answer: [200, 'text/plain'], problems: [] },
]

const schemas = { AuditorKeyGiven, AuditorKeyRow, SampleDetail, SampleGiven, SampleRow, SampleRows, SampleScope, SampleSlot, PhotoState, RecapRecord, RecapState, StationRecaps, AuditRows, LogInWays, PasskeyAssertion, PasskeyGiven, PasskeyOptions, PasskeyPatch, PasskeyRow, Passkeys, ProviderAddress, ProviderAnswer, SessionRow, SessionRows, KeyGiven, KeyMade, KeyRow, KeyRows, ContactGiven, ContactRow, ContactRows, ContactCompleteness, DisturbanceTurns, ImpactInForce, Alarm, AlarmCreate, AlarmPatch, AckAlarms, AckAlarmsCreate, UnAckAlarms, ClearAlarms, ClearAlarmsCreate, CommentAlarms, CommentAlarmsCreate, AlertGroup, AlertReceipt, AlarmRows, AlarmDetail, RefusedAlarms, PlannedWorkCreate, PlannedWorkPatch, PlannedWorkRow, PlannedWorkRows, PlannedWorkDetail, PlannedWorkReceipt, Ping, UploadTiming, Located, VerifyingKeys, SigmonConfig, Pack, PackDelta, OfficerProblemGiven, OfficerProblem, OfficerProblems, OfficerProblemWord, EditionEntry, Edition, CellViews, Difference, Challenge, ChallengeCreate, ChallengeDecision, TroubleTicket, TroubleTicketCreate, TroubleTicketPatch, Hub, HubCreate, Sample, ReportBatch, ReportReceipt, Enrolment, Enrolled, Live, LiveDisturbance, LiveTicket, Session, StationRows, StationDetail, ReadinessRow, ReadinessPage, ReadinessSummary, StationReadiness, MovesPage, SitingDecisions, SitingResults, SitingQuestion, SitingAnswer, PositionFix, PositionFixes, PositionGiven, PositionMeasured, PositionReceipt, PositionDecision, AccessPoint, AccessPoints, AccessState, AccessStateAnswer, Campaign, CampaignStations, ReminderOrder, Reminded, Problem, CommentGiven, CommentRow, CommentRows, PushGiven, PushRow, PushState, PushTried }

function reference(schema: TSchema): unknown {
  const name = Object.entries(schemas).find(([, each]) => each === schema)?.[0]
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  return Type.IsArray(schema) ? { ...schema, items: reference(schema.items) } : schema
}

function parameters(operation: Operation): unknown[] {
  const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const inQuery = Object.entries(operation.query ?? {}).map(([name, schema]) => ({ name, in: 'query', required: !Type.IsOptional(schema), schema }))
  return [...inPath, ...inQuery]
}

const binary = (type: string): Record<string, unknown> => ({ [type]: { schema: { type: 'string', contentMediaType: type } } })

function answers(operation: Operation): Record<string, unknown> {
  const [status, answer] = operation.answer
  const content = answer === '' ? {} : typeof answer === 'string' ? { content: { [answer]: { schema: { type: 'string' } } } } : { content: { 'application/json': { schema: reference(answer) } } }
  if (operation.also !== undefined) Object.assign(content.content ?? {}, binary(operation.also))
  const result: Record<string, unknown> = { [status]: { description: operation.summary, ...content } }
  for (const code of operation.problems) {
    const of = String(problems[code][0])
    const earlier = (result[of] as { description: string } | undefined)?.description
    result[of] = { description: earlier === undefined ? `${code}: ${problems[code][1]}` : `${earlier}; ${code}: ${problems[code][1]}`, content: { 'application/problem+json': { schema: reference(Problem) } } }
  }
  return result
}

/** The OpenAPI 3.1 document, made from the operations above. */
export function openapi(): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    ;(paths[operation.path] ??= {})[operation.method] = {
      operationId: `${operation.method}${operation.path.replace(/[/{}-]+(\w)/g, (_, letter: string) => letter.toUpperCase()).replace(/[^A-Za-z0-9]/g, '')}`,
      tags: [operation.tag],
      summary: operation.summary,
      // Who may log in may also come with a key of their organisation, and the other way round.
      security: operation.security === 'none' ? [] : operation.security === 'device' ? [{ device: [] }] : [{ session: [] }, { key: [] }],
      parameters: parameters(operation),
      ...(operation.body === undefined ? {} : { requestBody: { required: true, content: { [operation.takes ?? 'application/json']: { schema: reference(operation.body) }, ...(operation.also === undefined ? {} : binary(operation.also)), ...(operation.takesToo === undefined ? {} : { [operation.takesToo]: { schema: { type: 'string' } } }) } } }),
      responses: answers(operation),
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Kawal Sinyal', version: '1', description: 'Reports of officers in, disturbances and tickets out. Tickets follow TM Forum TMF621 v5.', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        device: { type: 'http', scheme: 'bearer', description: 'the token of POST /v1/devices' },
        key: { type: 'http', scheme: 'bearer', description: 'an API key of an organisation: kawal org key' },
        session: { type: 'apiKey', in: 'cookie', name: 'kawal_session' },
      },
    },
  }
}
