import { posix } from 'node:path'
import ts from 'typescript'
import type { Tree } from './files.ts'

/** One import, re-export, `import()` or `import('x').T`; one that brings both values and types gives two. */
export interface Import {
  readonly specifier: string
  /** A path in the tree, `npm:NAME`, `node:NAME`, `virtual:NAME`, or `` where nothing is found. */
  readonly target: string
  /** What is taken: names, `default`, or `*` where the whole module is at hand. */
  readonly names: readonly string[]
  readonly typeOnly: boolean
  readonly line: number
}

export interface Module {
  readonly path: string
  readonly source: ts.SourceFile
  readonly imports: readonly Import[]
  readonly exports: readonly { readonly name: string; readonly line: number }[]
  /** String literals: a file that is spawned, read or required is named by one. */
  readonly strings: ReadonlySet<string>
}

const code = /\.(ts|svelte|mjs|js)$/

/** Parses every source file, the scripts of components included, or these of them, and resolves what they import. */
export function readModules(tree: Tree, paths: readonly string[] = [...tree.keys()]): Module[] {
  return [...tree].filter(([path]) => code.test(path) && paths.includes(path)).map(([path, text]) => readModule(tree, path, path.endsWith('.svelte') ? scriptOf(text) : text))
}

/** The scripts alone, on the lines they have in the component. */
const scriptOf = (text: string): string => {
  const scripts = [...text.matchAll(/(<script\b[^>]*>)([\s\S]*?)<\/script>/g)]
  const kept = scripts.map((script) => [script.index + (script[1] ?? '').length, (script[2] ?? '').length] as const)
  return text.replace(/[^\n]/g, (letter, at: number) => (kept.some(([from, length]) => at >= from && at < from + length) ? letter : ' '))
}

function readModule(tree: Tree, path: string, text: string): Module {
  const source = ts.createSourceFile(path.replace(/\.svelte$/, '.svelte.ts'), text, ts.ScriptTarget.Latest, true)
  const imports: Import[] = []
  const exports: { name: string; line: number }[] = []
  const strings = new Set<string>()
  const add = (node: ts.Node, specifier: string, names: readonly string[], typeOnly: boolean): void =>
    void imports.push({ specifier, target: resolve(tree, path, specifier), names, typeOnly, line: lineOf(source, node) })
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) strings.add(node.text)
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) readImport(node, node.moduleSpecifier.text, add)
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier))
      add(node, node.moduleSpecifier.text, node.exportClause !== undefined && ts.isNamedExports(node.exportClause) ? node.exportClause.elements.map((each) => (each.propertyName ?? each.name).text) : ['*'], node.isTypeOnly)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [name] = node.arguments
      if (name !== undefined && ts.isStringLiteralLike(name)) add(node, name.text, takenFrom(node), false)
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal))
      add(node, node.argument.literal.text, node.qualifier === undefined ? ['*'] : [node.qualifier.getText(source).split('.')[0] ?? ''], true)
    ts.forEachChild(node, visit)
  }
  visit(source)
  for (const statement of source.statements) for (const name of exportedBy(statement)) exports.push({ name, line: lineOf(source, statement) })
  return { path, source, imports, exports, strings }
}

function readImport(node: ts.ImportDeclaration, specifier: string, add: (node: ts.Node, specifier: string, names: readonly string[], typeOnly: boolean) => void): void {
  const clause = node.importClause
  const named = clause?.namedBindings
  const all = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword
  const taken = [
    ...(clause?.name === undefined ? [] : [{ name: 'default', type: all }]),
    ...(named === undefined ? [] : ts.isNamespaceImport(named) ? [{ name: '*', type: all }] : named.elements.map((each) => ({ name: (each.propertyName ?? each.name).text, type: all || each.isTypeOnly }))),
  ]
  const values = taken.filter((each) => !each.type).map((each) => each.name)
  const types = taken.filter((each) => each.type).map((each) => each.name)
  if (values.length > 0 || types.length === 0) add(node, specifier, values, false)
  if (types.length > 0) add(node, specifier, types, true)
}

/** `(await import(x)).name` and `const { name } = await import(x)` take names; anything else the module. */
function takenFrom(node: ts.CallExpression): string[] {
  let up: ts.Node = node.parent
  while (ts.isAwaitExpression(up) || ts.isParenthesizedExpression(up)) up = up.parent
  if (ts.isPropertyAccessExpression(up) && up.name.text !== 'then') return [up.name.text]
  if (ts.isVariableDeclaration(up) && ts.isObjectBindingPattern(up.name)) return up.name.elements.map((each) => (each.propertyName ?? each.name).getText())
  return ['*']
}

function exportedBy(statement: ts.Statement): string[] {
  if (ts.isExportAssignment(statement)) return ['default']
  if (ts.isExportDeclaration(statement)) return statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause) ? statement.exportClause.elements.map((each) => each.name.text) : []
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : []
  if (!modifiers.some((each) => each.kind === ts.SyntaxKind.ExportKeyword)) return []
  if (modifiers.some((each) => each.kind === ts.SyntaxKind.DefaultKeyword)) return ['default']
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.flatMap((each) => namesOf(each.name))
  const { name } = statement as ts.Statement & { readonly name?: ts.Identifier }
  return name === undefined ? [] : [name.text]
}

const namesOf = (name: ts.BindingName): string[] =>
  ts.isIdentifier(name) ? [name.text] : name.elements.flatMap((each) => (ts.isBindingElement(each) ? namesOf(each.name) : []))

/** Paths carry their endings and workspaces their folders, so that resolving is looking up. */
function resolve(tree: Tree, from: string, specifier: string): string {
  if (/^(node|virtual):/.test(specifier)) return specifier
  const plain = specifier.replace(/\?.*$/, '')
  const path = plain.startsWith('.') ? posix.join(posix.dirname(from), plain) : plain.startsWith('@kawal/') ? plain.slice('@kawal/'.length) : null
  if (path === null) return `npm:${packageOf(plain)}`
  return tree.has(path) ? path : ''
}

export const packageOf = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')

export const lineOf = (source: ts.SourceFile, node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
