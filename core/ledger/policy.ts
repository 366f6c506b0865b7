import { fail, ok, type Result } from '../kernel/result.ts'
import { base64Of } from './bytes.ts'
import { formatVerifierKey, readVerifierKey, type KeyAlgorithm, type VerifierKey } from './key.ts'
import type { Sha256Sync } from './merkle.ts'

/**
 * Whom to believe, as a text of C2SP (https://c2sp.org/tlog-policy): any one of these logs, and a quorum of witnesses. A
 * witness keeps a log from showing two histories.
 */
export interface Policy {
  /** A key's name is its log's origin. None in a policy of witnesses alone: it verifies no receipt. */
  readonly logs: readonly PolicyLog[]
  readonly witnesses: readonly PolicyWitness[]
  /** Each after those that it names. */
  readonly groups: readonly PolicyGroup[]
  /** A witness or a group; null: the log's own signature is enough. */
  readonly quorum: string | null
}

interface PolicyLog { readonly key: VerifierKey; readonly url: string | null }
/** Its name means something in the policy alone; signatures have the key's. */
interface PolicyWitness { readonly name: string; readonly key: VerifierKey; readonly url: string | null }
/** It has seen a checkpoint where so many of its members have. */
interface PolicyGroup { readonly name: string; readonly members_min: number; readonly members: readonly string[] }

/** The first thing that is wrong. */
interface PolicyFault {
  /** From 1 on. */
  readonly line: number
  readonly fault: PolicyWord
  /** What it is about, as it is written there. */
  readonly about: string
}

/** What is wrong, and how to mend it. */
const sentences = {
  characters: 'has a character that a policy may not have. Write it without carriage returns and control characters, with spaces or tabs between words',
  line_cut: 'is not ended by a newline, and may be cut off. End the last line too',
  word_unknown: 'begins with a word that is none of log, witness, group, quorum. Comments begin with #',
  words: 'has too few or too many words: log KEY [URL], witness NAME KEY [URL], group NAME any|all|COUNT MEMBER..., quorum NAME|none',
  key_form: 'has no key as NAME+ID+KEY. Copy it anew from whoever keeps it',
  key_name: 'has a key whose name is none. Copy it anew from whoever keeps it',
  key_algorithm: 'has a key of an algorithm that is not verified here. Ask for one of Ed25519',
  key_length: 'has a key that is cut off or too long. Copy it anew from whoever keeps it',
  key_id: 'has a key that was mistyped: its id is that of another. Copy it anew from whoever keeps it',
  key_of_log: 'gives the key of a log to a witness. A witness has one of its own, which kawal witness prints',
  key_of_witness: 'gives the key of a witness to a log. Take the one at the log\'s address, /key',
  key_twice: 'has a key that stands above already: it would be two voices of one mouth. Take one of them out',
  url: 'has an address that is none. Write it as https://saksi.example',
  name_twice: 'gives a name that something above has. Choose another',
  name_none: 'gives the name none, which means no witness at all. Choose another',
  name_unknown: 'names what no line above defines. Define it before, or mend the name',
  member_twice: 'names a member that is in a group already: a witness counts in one way only. Take one of them out',
  count: 'asks for a count that is not between 1 and the number of members',
  quorum_twice: 'is a second quorum. Leave one',
  quorum_missing: 'has no quorum line above it. Add the last line: quorum NAME, or quorum none to ask for no witness',
  too_much: 'is more than is read: at most 64 logs, 64 witnesses and 64 groups, and 100,000 characters',
} as const
export type PolicyWord = keyof typeof sentences

const each_max = 64
const chars_max = 100_000

/** Believes a log by its own signature. */
export const logAlone = (key: VerifierKey): Policy => ({ logs: [{ key, url: null }], witnesses: [], groups: [], quorum: null })

/** What is wrong, as people read it. */
export const policySentence = ({ line, fault, about }: PolicyFault): string => `line ${line}${about === '' ? '' : ` (${about.slice(0, 100)})`} ${sentences[fault]}.`

/** Whether these witnesses, by their names in the policy, are a quorum. */
export function isQuorum({ witnesses, groups, quorum }: Policy, seen: ReadonlySet<string>): boolean {
  const have = new Set(witnesses.map(({ name }) => name).filter((name) => seen.has(name)))
  for (const { name, members_min, members } of groups) if (members.filter((member) => have.has(member)).length >= members_min) have.add(name)
  return quorum === null || have.has(quorum)
}

/** @throws nothing: a text that is no policy is a fault with its line */
export function readPolicy(text: string, sha256: Sha256Sync): Result<Policy, PolicyFault> {
  const reader = createReader(sha256)
  const lines = text.split('\n')
  if (text.length > chars_max) return fail({ line: lines.length, fault: 'too_much', about: '' })
  for (const [at, content] of lines.entries()) {
    const fault = faultOf(content, at === lines.length - 1, reader)
    if (fault !== null) return fail({ line: at + 1, ...fault })
  }
  const policy = reader.policy()
  return policy === null ? fail({ line: lines.length, fault: 'quorum_missing', about: '' }) : ok(policy)
}

/**
 * The keys of logs alone, as who watches logs lists them: keys, each on a line of its own, or `log` lines. A whole policy will do too.
 */
export function readLogKeys(text: string, sha256: Sha256Sync): Result<readonly VerifierKey[], PolicyFault> {
  const lines = text.split('\n').map((line) => (/^[ \t]*[^ \t#]+\+[^ \t]+[ \t]*$/.test(line) ? `log ${line}` : line))
  const hasQuorum = lines.some((line) => /^[ \t]*quorum[ \t]/.test(line))
  const read = readPolicy(hasQuorum ? lines.join('\n') : `${lines.join('\n')}${lines.at(-1) === '' ? '' : '\n'}quorum none\n`, sha256)
  return read.ok ? ok(read.value.logs.map(({ key }) => key)) : read
}

export function formatPolicy({ logs, witnesses, groups, quorum }: Policy): string {
  const lines = [
    ...logs.map(({ key, url }) => ['log', formatVerifierKey(key), url]),
    ...witnesses.map(({ name, key, url }) => ['witness', name, formatVerifierKey(key), url]),
    ...groups.map(({ name, members_min, members }) => ['group', name, members_min, ...members]),
    ['quorum', quorum ?? 'none'],
  ]
  return lines.map((words) => `${words.filter((word) => word !== null).join(' ')}\n`).join('')
}

type Fault = Omit<PolicyFault, 'line'>
type Reader = ReturnType<typeof createReader>

function faultOf(content: string, isLast: boolean, reader: Reader): Fault | null {
  if (/[\u0000-\u0008\u000a-\u001f\u007f]|\p{Surrogate}/u.test(content)) return { fault: 'characters', about: '' }
  const [word = '', ...rest] = content.split(/[ \t]+/).filter((each) => each !== '')
  if (isLast && word !== '') return { fault: 'line_cut', about: word }
  if (word === '' || word.startsWith('#')) return null
  if (word === 'log') return reader.log(rest)
  if (word === 'witness') return reader.witness(rest)
  if (word === 'group') return reader.group(rest)
  return word === 'quorum' ? reader.quorum(rest) : { fault: 'word_unknown', about: word }
}

function createReader(sha256: Sha256Sync) {
  const [logs, witnesses, groups]: [PolicyLog[], PolicyWitness[], PolicyGroup[]] = [[], [], []]
  const [keys, defined, members]: [Set<string>, Set<string>, Set<string>] = [new Set(), new Set(), new Set()]
  let quorum: string | null | undefined

  const define = (name: string): Fault | null => {
    if (name === 'none' || defined.has(name)) return { fault: name === 'none' ? 'name_none' : 'name_twice', about: name }
    defined.add(name)
    return null
  }
  const keyed = (text: string, url: string | undefined, algorithm: KeyAlgorithm): Result<{ key: VerifierKey; url: string | null }, Fault> => {
    const key = readVerifierKey(text, sha256)
    if (!key.ok) return fail({ fault: key.error, about: text })
    if (key.value.algorithm !== algorithm) return fail({ fault: algorithm === 'ed25519' ? 'key_of_witness' : 'key_of_log', about: text })
    if (url !== undefined && !/^https?:\/\/[^/?#]+[^?#]*$/.test(url)) return fail({ fault: 'url', about: url })
    const bytes = base64Of(key.value.publicKey)
    if (keys.has(bytes)) return fail({ fault: 'key_twice', about: text })
    keys.add(bytes)
    return ok({ key: key.value, url: url?.replace(/\/+$/, '') ?? null })
  }

  return {
    log([text = '', url, ...rest]: readonly string[]): Fault | null {
      if (text === '' || rest.length > 0) return { fault: 'words', about: 'log' }
      const read = keyed(text, url, 'ed25519')
      if (!read.ok) return read.error
      return logs.push(read.value) > each_max ? { fault: 'too_much', about: 'log' } : null
    },
    witness([name = '', text = '', url, ...rest]: readonly string[]): Fault | null {
      if (text === '' || rest.length > 0) return { fault: 'words', about: 'witness' }
      const read = keyed(text, url, 'cosignature')
      if (!read.ok) return read.error
      return define(name) ?? (witnesses.push({ name, ...read.value }) > each_max ? { fault: 'too_much', about: 'witness' } : null)
    },
    group([name = '', count = '', ...named]: readonly string[]): Fault | null {
      if (named.length === 0) return { fault: 'words', about: 'group' }
      const [unknown, again] = [named.find((each) => !defined.has(each)), named.find((each, at) => members.has(each) || named.indexOf(each) !== at)]
      if (unknown !== undefined) return { fault: 'name_unknown', about: unknown }
      if (again !== undefined) return { fault: 'member_twice', about: again }
      const members_min = count === 'any' ? 1 : count === 'all' ? named.length : /^[1-9]\d{0,3}$/.test(count) ? Number(count) : 0
      if (members_min < 1 || members_min > named.length) return { fault: 'count', about: count }
      for (const each of named) members.add(each)
      return define(name) ?? (groups.push({ name, members_min, members: named }) > each_max ? { fault: 'too_much', about: 'group' } : null)
    },
    quorum([name = '', ...rest]: readonly string[]): Fault | null {
      if (name === '' || rest.length > 0) return { fault: 'words', about: 'quorum' }
      if (quorum !== undefined) return { fault: 'quorum_twice', about: name }
      if (name !== 'none' && !defined.has(name)) return { fault: 'name_unknown', about: name }
      quorum = name === 'none' ? null : name
      return null
    },
    policy: (): Policy | null => (quorum === undefined ? null : { logs, witnesses, groups, quorum }),
  }
}
