import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deedOf } from '@kawal/core/act/deed.ts'
import { commandsIn } from '@kawal/testkit/command.ts'

const { kawal } = commandsIn('audited')

/** What a command with its action does: an act, in which file; only looks; or works on nothing of a platform. */
type Kind = { readonly act: string } | 'looks' | 'elsewhere'
const act = (file: string): Kind => ({ act: file })
const matrix: Readonly<Record<string, Kind>> = {
  'serve': act('../act/open.ts'), 'rehearse': 'elsewhere', 'probe': 'elsewhere', 'verify': 'looks', 'doctor': 'looks', 'scan': 'looks', 'replay': 'looks', 'plan': act('plan.ts'), 'device revoke': act('device.ts'),
  witness: 'looks', 'import register': act('import.ts'), 'import boundaries': act('import-atlas.ts'), 'import coverage': act('import-atlas.ts'), 'import samples': act('import-atlas.ts'),
  'export audit': 'looks', 'export verify-page': 'looks', 'export codes': act('export.ts'), 'export keys': 'looks', 'export letters': act('letters.ts'), 'export disturbances': 'looks', 'export stations': 'looks', 'export readiness': 'looks', 'export moves': 'looks', 'export access': 'looks', 'export atlas': 'looks',
  'atlas list': 'looks', 'atlas show': 'looks', 'atlas diff': 'looks', 'atlas verify': 'looks', 'atlas publish': act('publish.ts'), 'reports list': 'looks', 'reports export': 'looks', 'reports archive': act('reports.ts'), 'reports drop': act('reports.ts'),
  'org list': 'looks', 'org keys': 'looks', 'org contacts': 'looks', 'org completeness': 'looks', 'org invite': act('invite.ts'),
  'android list': 'looks', 'android publish': act('android.ts'), 'android withdraw': act('android.ts'),
  ...Object.fromEntries(['add', 'link', 'person', 'key', 'revoke', 'level', 'peer'].map((name) => [`org ${name}`, act('org.ts')])),
}

/** What stands in the program's own help: `name <argument>`, and the actions that a description names. */
async function commands(): Promise<{ readonly name: string; readonly description: string }[]> {
  const listed = (text: string): { name: string; description: string }[] => (text.split('Commands:\n')[1] ?? '').split(/\n(?= {2}\S)/).map((entry) => {
    const [, name = '', description = ''] = /^ {2}([a-z]+)(?: \[options\])?(?: [<[][^>\]]*[>\]])*\s+([^]*)$/.exec(entry.startsWith('  ') ? entry : `  ${entry}`) ?? []
    return { name, description: description.replace(/\s+/g, ' ') }
  }).filter(({ name }) => name !== '' && name !== 'help')
  const [all, org] = await Promise.all([kawal('--help'), kawal('org', '--help')])
  return [...listed(all.out).filter(({ name }) => name !== 'org'), ...listed(org.out).map(({ name, description }) => ({ name: `org ${name}`, description }))]
}

/** Every command that is in the program and not in the matrix, and the other way round. */
function gaps(found: readonly { readonly name: string; readonly description: string }[], rows: Readonly<Record<string, Kind>>): string[] {
  const withActions = [...new Set(Object.keys(rows).filter((each) => each.includes(' ') && !each.startsWith('org ')).map((each) => each.split(' ')[0] ?? ''))]
  const names = found.map(({ name }) => name)
  return [
    ...names.filter((name) => !(name in rows) && !withActions.includes(name)).map((name) => `kawal ${name} is not in the matrix`),
    ...Object.keys(rows).filter((each) => !names.includes(each.startsWith('org ') ? each : each.split(' ')[0] ?? '')).map((each) => `kawal ${each} is in the matrix and no command`),
    // A description names its actions.
    ...Object.keys(rows).filter((each) => each.includes(' ') && !each.startsWith('org ')).filter((each) => !(found.find(({ name }) => name === each.split(' ')[0])?.description ?? '').includes(each.split(' ')[1] ?? '')).map((each) => `kawal ${each} is in no description`),
  ]
}

const source = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8')

/** Those that must be acts and are none: without a word, or never written down. */
const silent = (rows: Readonly<Record<string, Kind>>, read: (file: string) => string): string[] => Object.entries(rows).flatMap(([name, kind]) =>
  typeof kind === 'string' ? [] : [
    ...(deedOf({ method: 'CLI', path: `${name} x` }) === 'other' ? [`kawal ${name} has no word in core/act/deed.ts`] : []),
    ...(/audited\(server, |await writeStart\(/.test(read(kind.act)) ? [] : [`${kind.act} does not write kawal ${name} down`]),
  ])

/** Commands' files that write into a database by themselves. */
const writers = (read: (file: string) => string): string[] => readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).filter((name) => /\b(INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b/.test(read(name)))

test('every command that changes something, or lets secrets out, is an act with a word', async () => {
  const found = await commands()
  assert.ok(found.length > 20, `${found.length} commands`)
  assert.deepEqual(gaps(found, matrix), [])
  assert.deepEqual(silent(matrix, source), [])
  // Of a rehearsal, which the database of a service refuses; the others are in the matrix.
  assert.deepEqual(writers(source).sort(), ['device.ts', 'org.ts', 'rehearse.ts'])
})

test('a planted command, one that is not written down, and one without a word are found', async () => {
  const found = await commands()
  assert.deepEqual(gaps([...found, { name: 'slow', description: 'slow an area' }, { name: 'org slow', description: '' }], matrix), ['kawal slow is not in the matrix', 'kawal org slow is not in the matrix'])
  assert.deepEqual(gaps(found, { ...matrix, 'atlas hide': act('publish.ts') }), ['kawal atlas hide is in no description'])
  assert.deepEqual(silent({ 'atlas hide': act('doctor.ts') }, source), ['kawal atlas hide has no word in core/act/deed.ts', 'doctor.ts does not write kawal atlas hide down'])
})
