import assert from 'node:assert/strict'
import { test } from 'node:test'
import ts from 'typescript'
import { plant, readTree, type Tree } from './files.ts'
import { lineOf, readModules } from './modules.ts'

const function_lines_max = 70
const factory_lines_max = 120
const file_lines_max = 450
/** Words are a list, and what is generated is nobody's reading. */
const listed = /\/words\/|^contract\/openapi\.json$|^package-lock\.json$/
const readable = /\.(ts|mjs|js|svelte|css|html|sql)$/

/** `createX` and `openX` that end by giving back an object: a class by other means, its methods are measured one by one. */
function isFactory({ body, name }: ts.FunctionLikeDeclaration): boolean {
  if (body === undefined || !ts.isBlock(body) || !/^(create|open)[A-Z]/.test(name?.getText() ?? '')) return false
  const last = body.statements.at(-1)
  return last !== undefined && ts.isReturnStatement(last) && last.expression !== undefined && ts.isObjectLiteralExpression(last.expression)
}

/** `describe` groups tests: the tests in it are measured. */
const isGroup = (node: ts.Node): boolean => ts.isCallExpression(node.parent) && node.parent.expression.getText() === 'describe'

function tooLong(tree: Tree): { found: string[]; functions: number } {
  const found = [...tree].filter(([path, text]) => readable.test(path) && !listed.test(path) && text.trimEnd().split('\n').length > file_lines_max)
    .map(([path]) => `${path} has more than ${file_lines_max} lines: part it by concern`)
  let functions = 0
  for (const { path, source } of readModules(tree)) {
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
        functions++
        const lines = source.getLineAndCharacterOfPosition(node.end).line + 2 - lineOf(source, node)
        const max = isFactory(node) ? factory_lines_max : function_lines_max
        if (lines > max && !isGroup(node)) found.push(`${path}:${lineOf(source, node)} a function of ${lines} lines (${node.name?.getText(source) ?? 'without a name'}); at most ${max}: name its steps`)
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return { found, functions }
}

test(`functions have at most ${function_lines_max} lines, files ${file_lines_max}`, () => {
  const { found, functions } = tooLong(readTree())
  assert.ok(functions > 800, `only ${functions} functions were seen`)
  assert.deepEqual(found, [])
})

test('a planted long function and a long file are found; a factory has more room, not endless room', () => {
  const lines = (count: number): string => '  work()\n'.repeat(count)
  const found = (text: string): string => tooLong(plant(new Map(), { 'core/bad.ts': text })).found.join('\n')
  assert.match(found(`\nconst all = () => {\n${lines(69)}}`), /core\/bad\.ts:2 a function of 71 lines/)
  assert.equal(found(`function all() {\n${lines(68)}}`), '')
  assert.match(found(lines(451)), /more than 450 lines/)
  assert.equal(found(`function createAll() {\n${lines(100)}  return { work }\n}`), '')
  assert.match(found(`function createAll() {\n${lines(119)}  return { work }\n}`), /122 lines \(createAll\); at most 120/)
  assert.match(found(`function createAll() {\n${lines(100)}}`), /102 lines/)
})
