import assert from 'node:assert/strict'
import { test } from 'node:test'
import ts from 'typescript'
import { isTest, plant, readTree, type Tree } from './files.ts'

/** Brands, keys of the keyboard and words that both languages share. */
const same_in_both = new Set(['Sigmon', 'Kawal Sinyal', 'j / k', 'Enter', 'Esc', 't', 'm', '?', '1 - 4', '/', 'z', 'Operator', 'Status', 'Token', 'BAKTI', 'KPU', 'Bawaslu', 'APJII'])

/** Every word by its path, `status.down`; a word that is a function by the source of what it gives. */
function wordsOf(text: string): Map<string, string> {
  const words = new Map<string, string>()
  const source = ts.createSourceFile('words.ts', text, ts.ScriptTarget.Latest, true)
  const read = (node: ts.Expression, path: string): void => {
    if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) return read(node.expression, path)
    if (ts.isArrayLiteralExpression(node)) return node.elements.forEach((each, index) => read(each, `${path}.${index}`))
    if (!ts.isObjectLiteralExpression(node)) return void words.set(path, ts.isStringLiteralLike(node) ? node.text : ts.isArrowFunction(node) ? node.body.getText(source) : node.getText(source))
    for (const each of node.properties) if (ts.isPropertyAssignment(each)) read(each.initializer, `${path === '' ? '' : `${path}.`}${each.name.getText(source).replaceAll("'", '')}`)
  }
  for (const statement of source.statements) if (ts.isVariableStatement(statement)) for (const { initializer } of statement.declarationList.declarations) if (initializer !== undefined) read(initializer, '')
  return words
}

const holes = (word: string): string => [...word.matchAll(/(?<!\$)\{\w+\}/g)].map(String).sort().join(' ')

/** The files of words of one face: what it opens with, and what a room or a screen of it loads later. A component calls the latter's `p`, `r`, `m` or `h`. */
const files: Readonly<Record<string, readonly { readonly prefix: string; readonly name: string }[]>> = {
  console: [{ prefix: '', name: 'w|words' }, { prefix: 'planning-', name: 'p|words' }, { prefix: 'recaps-', name: 'r|words' }, { prefix: 'oversight-', name: 'o|words' }, { prefix: 'sample-', name: 's|words' }],
  sigmon: [{ prefix: '', name: 'w|words' }, { prefix: 'more-', name: 'm|words' }, { prefix: 'help-', name: 'h|words' }, { prefix: 'recap-', name: 'r|words' }, { prefix: 'shell-', name: 's|words' }],
  verify: [{ prefix: '', name: 'w|words' }],
}
type WordFile = (typeof files)[string][number]

/** What is wrong with the words of one file of a face. A key counts as used where its name is: `w.close`, or 'close' as a value that looks it up. */
function wrongWords(tree: Tree, face: string, { prefix, name }: WordFile = { prefix: '', name: 'w|words' }): { found: string[]; words: number } {
  const path = (language: string): string => `${face}/src/words/${prefix}${language}.ts`
  const [id, en] = ['id', 'en'].map((language) => wordsOf(tree.get(path(language)) ?? '')) as [Map<string, string>, Map<string, string>]
  const sources = (under: RegExp): string => [...tree].filter(([path]) => under.test(path) && /\.(ts|svelte)$/.test(path) && !isTest(path) && !path.includes('/words/')).map(([, text]) => text).join('\n')
  const [own, values] = [sources(new RegExp(`^${face}/src/`)), sources(new RegExp(`^(${face}/src|${face === 'verify' ? 'sigmon/src|' : ''}core|contract|server/src)/`))]
  const found: string[] = []
  const say = (language: string, key: string, what: string): void => void found.push(`${path(language)}: ${key} ${what}`)
  for (const key of id.keys()) if (!en.has(key)) say('en', key, 'is missing')
  for (const [key, english] of en) {
    const indonesian = id.get(key)
    if (indonesian === undefined) say('id', key, 'is missing')
    else if (indonesian === english && !same_in_both.has(english)) say('en', key, `is "${english}" in both languages: translate it, or list it in tools/rules/words.test.ts`)
    else if (holes(indonesian) !== holes(english)) say('en', key, `fills ${holes(english)}, in Bahasa Indonesia ${holes(indonesian)}`)
  }
  for (const [language, words] of [['id', id], ['en', en]] as const) for (const [key, word] of words) if (word.replace(/^[`'"]|[`'"]$/g, '').trim() === '') say(language, key, 'is empty')
  for (const key of new Set([...id.keys(), ...en.keys()])) {
    const [top = '', leaf] = key.split('.')
    if (!new RegExp(`\\b(${name})\\.${top}\\b|'${top}'`).test(own)) say('id', key, `is used nowhere in ${face}/src: remove it`)
    else if (leaf !== undefined && !/^\d/.test(leaf) && !values.includes(`'${leaf}'`)) say('id', key, 'names a value that nothing sends: remove it')
  }
  return { found, words: id.size }
}

const tree = readTree()

for (const [face, file, words_min] of [['console', 0, 150], ['console', 1, 300], ['console', 2, 80], ['console', 4, 100], ['console', 3, 15], ['sigmon', 0, 100], ['sigmon', 1, 120], ['sigmon', 2, 40], ['sigmon', 3, 90], ['sigmon', 4, 60], ['verify', 0, 200]] as const)
  test(`the words of ${face} (${files[face]?.[file]?.prefix ?? ''}id) are whole in both languages, and used`, () => {
    const { found, words } = wrongWords(tree, face, files[face]?.[file])
    assert.ok(words >= words_min, `only ${words} words were seen`)
    assert.deepEqual(found, [])
  })

test('the list of words that both languages share holds no other', () => {
  const words = (face: string, name: string): Map<string, string> => wordsOf(tree.get(`${face}/src/words/${name}.ts`) ?? '')
  const all = Object.entries(files).flatMap(([face, list]) => list.map(({ prefix }) => ({ face, prefix }))).flatMap(({ face, prefix }) => {
    const indonesian = words(face, `${prefix}id`)
    return [...words(face, `${prefix}en`)].filter(([key, word]) => indonesian.get(key) === word).map(([, word]) => word)
  })
  assert.deepEqual([...same_in_both].filter((word) => !all.includes(word)), [])
})

test('planted words are found: missing, empty, untranslated, other holes, unused', () => {
  const planted = plant(new Map(), {
    'sigmon/src/App.svelte': "{w.one} {w.two} {w.three} {w.four} {w.state['down']}",
    'sigmon/src/words/id.ts': "export const id = { one: 'Satu', two: 'Dua', three: 'Tiga {n}', four: '', five: 'Lima', state: { down: 'putus', gone: 'hilang' } as Record<string, string> }",
    'sigmon/src/words/en.ts': "export const en: Words = { one: 'One', two: 'Dua', three: 'Three {m}', four: 'Four', five: 'Five', state: { down: 'down' } }",
  })
  assert.deepEqual(wrongWords(planted, 'sigmon').found.map((line) => line.replace('sigmon/src/words/', '')), [
    'en.ts: state.gone is missing', 'en.ts: two is "Dua" in both languages: translate it, or list it in tools/rules/words.test.ts', 'en.ts: three fills {m}, in Bahasa Indonesia {n}',
    'id.ts: four is empty', 'id.ts: five is used nowhere in sigmon/src: remove it', 'id.ts: state.gone names a value that nothing sends: remove it',
  ])
})
