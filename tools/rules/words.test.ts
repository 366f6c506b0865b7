import assert from 'node:assert/strict'
import { test } from 'node:test'
import ts from 'typescript'
import { isTest, plant, readTree, type Tree } from './files.ts'

/** Brands, keys of the keyboard and words that both languages share. */
const same_in_both = new Set(['Sigmon', 'Kawal Sinyal', 'j / k', 'Enter', 'Esc', 't', 'm', '?', 'Operator', 'Status', 'Token'])

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

/** What is wrong with the words of one face. A key counts as used where its name is: `w.close`, or 'close' as a value that looks it up. */
function wrongWords(tree: Tree, face: string): { found: string[]; words: number } {
  const [id, en] = ['id', 'en'].map((language) => wordsOf(tree.get(`${face}/src/words/${language}.ts`) ?? '')) as [Map<string, string>, Map<string, string>]
  const sources = (under: RegExp): string => [...tree].filter(([path]) => under.test(path) && /\.(ts|svelte)$/.test(path) && !isTest(path) && !path.includes('/words/')).map(([, text]) => text).join('\n')
  const [own, values] = [sources(new RegExp(`^${face}/src/`)), sources(new RegExp(`^(${face}/src|core|contract|server/src)/`))]
  const found: string[] = []
  const say = (language: string, key: string, what: string): void => void found.push(`${face}/src/words/${language}.ts: ${key} ${what}`)
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
    if (!new RegExp(`\\b(w|words)\\.${top}\\b|'${top}'`).test(own)) say('id', key, `is used nowhere in ${face}/src: remove it`)
    else if (leaf !== undefined && !/^\d/.test(leaf) && !values.includes(`'${leaf}'`)) say('id', key, 'names a value that nothing sends: remove it')
  }
  return { found, words: id.size }
}

const tree = readTree()

for (const [face, words_min] of [['console', 150], ['sigmon', 40]] as const)
  test(`the words of ${face} are whole in both languages, and used`, () => {
    const { found, words } = wrongWords(tree, face)
    assert.ok(words >= words_min, `only ${words} words were seen`)
    assert.deepEqual(found, [])
  })

test('the list of words that both languages share holds no other', () => {
  const words = (face: string, language: string): Map<string, string> => wordsOf(tree.get(`${face}/src/words/${language}.ts`) ?? '')
  const all = ['console', 'sigmon'].flatMap((face) => {
    const indonesian = words(face, 'id')
    return [...words(face, 'en')].filter(([key, word]) => indonesian.get(key) === word).map(([, word]) => word)
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
