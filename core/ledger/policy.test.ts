import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noteKey, sha256 } from '@kawal/testkit/ed25519.ts'
import { formatVerifierKey } from './key.ts'
import { formatPolicy, isQuorum, policySentence, readLogKeys, readPolicy, type Policy, type PolicyWord } from './policy.ts'

const keyOf = (name: string, algorithm: 'ed25519' | 'cosignature' = 'cosignature', secret = name): string => formatVerifierKey(noteKey(name, algorithm, secret).key)
const log = keyOf('kawal.example/ledger', 'ed25519')
const [x1 = '', x2 = '', x3 = '', y1 = '', y2 = '', y3 = ''] = ['x1', 'x2', 'x3', 'y1', 'y2', 'y3'].map((name) => keyOf(`saksi.example/${name}`))

/** The example of the specification, with keys. */
const example = `# by hand
log ${log} https://kawal.example/ledger

witness X1 ${x1}
witness X2 ${x2}
\twitness   X3\t${x3}${' '}
group X-witnesses 2 X1 X2 X3

witness Y1 ${y1} https://saksi.example/y1/
witness Y2 ${y2}
witness Y3 ${y3}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`
const policyOf = (text: string): Policy => {
  const read = readPolicy(text, sha256)
  return read.ok ? read.value : assert.fail(policySentence(read.error))
}

test('the example of the specification is read, written, and read again as the same', () => {
  const policy = policyOf(example)
  assert.deepEqual([policy.logs.length, policy.witnesses.map(({ name }) => name), policy.groups.length, policy.quorum], [1, ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'], 3, 'X-and-Y'])
  assert.deepEqual([policy.logs[0]?.url, policy.witnesses[0]?.url, policy.witnesses[3]?.url], ['https://kawal.example/ledger', null, 'https://saksi.example/y1'])
  assert.deepEqual(policyOf(formatPolicy(policy)), policy)
  assert.equal(policyOf('quorum none\n').quorum, null)
  assert.deepEqual(policyOf(`witness saksi-é ${x1}\nquorum saksi-é\n`).quorum, 'saksi-é')
})

test('a quorum of groups is met by each of 64 subsets as counting says', () => {
  const policy = policyOf(example)
  for (let bits = 0; bits < 64; bits++) {
    const seen = policy.witnesses.filter((_, at) => ((bits >> at) & 1) === 1).map(({ name }) => name)
    const counted = seen.filter((name) => name.startsWith('X')).length >= 2 && seen.some((name) => name.startsWith('Y'))
    assert.equal(isQuorum(policy, new Set(seen)), counted, seen.join(' '))
  }
  assert.equal(isQuorum(policy, new Set(['X-and-Y', 'X-witnesses', 'Y1'])), false, 'who calls himself a group is none')
  assert.equal(isQuorum(policyOf(`witness A ${x1}\nquorum none\n`), new Set()), true)
  assert.equal(isQuorum(policyOf(`witness A ${x1}\nwitness B ${x2}\nquorum A\n`), new Set(['B'])), false)
})

test('what is wrong is named with its line, and says how to mend it', () => {
  const two = `witness A ${x1}\nwitness B ${x2}\n`
  for (const [text, line, fault] of [
    ['', 1, 'quorum_missing'], [`${two}`, 3, 'quorum_missing'], [`${two}quorum A`, 3, 'line_cut'], [`${two}quorum A\r\n`, 3, 'characters'], [`${two}quorum A\u007f\n`, 3, 'characters'],
    [`${two}quorum C\n`, 3, 'name_unknown'], [`quorum A\n${two}`, 1, 'name_unknown'], [`${two}quorum A\nquorum B\n`, 4, 'quorum_twice'], [`${two}quorum A B\n`, 3, 'words'], [`${two}quorum\n`, 3, 'words'],
    [`${two}groups G any A\n`, 3, 'word_unknown'], [`\u00a0witness A ${x1}\n`, 1, 'word_unknown'], [`witness A\n`, 1, 'words'], [`witness A ${x1} https://a.example b\n`, 1, 'words'], [`log\n`, 1, 'words'], [`${two}group G any\n`, 3, 'words'],
    [`witness none ${x1}\n`, 1, 'name_none'], [`witness A ${x1}\nwitness A ${x2}\n`, 2, 'name_twice'], [`${two}group A any B\n`, 3, 'name_twice'], [`${two}group none any A\n`, 3, 'name_none'], [`${two}group G any none\n`, 3, 'name_unknown'],
    [`${two}group G any C\n`, 3, 'name_unknown'], [`${two}group G any G\n`, 3, 'name_unknown'], [`${two}group G all A A\n`, 3, 'member_twice'], [`${two}group G any A\ngroup H any B A\n`, 4, 'member_twice'],
    [`${two}group G 0 A B\n`, 3, 'count'], [`${two}group G 3 A B\n`, 3, 'count'], [`${two}group G 01 A B\n`, 3, 'count'], [`${two}group G most A B\n`, 3, 'count'], [`${two}group G 1.5 A B\n`, 3, 'count'],
    [`witness A ${x1.slice(0, -4)}\n`, 1, 'key_length'], [`witness A ${x1.replace('x1', 'x9')}\n`, 1, 'key_id'], [`witness A saksi\n`, 1, 'key_form'], [`witness A ${log}\n`, 1, 'key_of_log'], [`log ${x1}\n`, 1, 'key_of_witness'],
    [`witness A ${x1} saksi.example\n`, 1, 'url'], [`witness A ${x1} https://saksi.example/?a\n`, 1, 'url'], [`log ${log}\nlog ${log}\n`, 2, 'key_twice'],
    [`witness A ${x1}\nwitness B ${keyOf('saksi.example/twin', 'cosignature', 'saksi.example/x1')}\n`, 2, 'key_twice'], [`log ${log}\nwitness A ${keyOf('saksi.example/self', 'cosignature', 'kawal.example/ledger')}\n`, 2, 'key_twice'],
    [`witness A ${`kawal.example+12345678+${Buffer.alloc(1_313, 6).toString('base64')}`}\n`, 1, 'key_algorithm'],
    [Array.from({ length: 65 }, (_, at) => `witness W${at} ${keyOf(`saksi.example/${at}`)}\n`).join(''), 65, 'too_much'],
  ] as const satisfies readonly (readonly [string, number, PolicyWord])[]) {
    const read = readPolicy(text, sha256)
    assert.deepEqual(read.ok ? 'read' : { line: read.error.line, fault: read.error.fault }, { line, fault }, JSON.stringify(text.slice(-120)))
    if (!read.ok) assert.match(policySentence(read.error), new RegExp(`^line ${line} .+\\.$`))
  }
})

test('who watches logs names their keys alone, by log lines, or by a whole policy', () => {
  const other = keyOf('lain.example/log', 'ed25519')
  for (const text of [`${log}\n${other}\n`, `# logs\n  ${log}\nlog ${other} https://lain.example\n`, `${log}\n${other}`, `log ${log}\nlog ${other}\nwitness A ${x1}\nquorum A\n`])
    assert.deepEqual(readLogKeys(text, sha256).ok && readLogKeys(text, sha256), { ok: true, value: [noteKey('kawal.example/ledger').key, noteKey('lain.example/log').key] }, text)
  assert.deepEqual(readLogKeys(`${log}\n${log}\n`, sha256).ok, false)
})
