import { cursorOf, Unreadable, type Cursor } from './cursor.ts'

/** What a package says of itself. */
export interface Manifest {
  readonly application: string
  readonly versionCode: number
  readonly versionName: string
  readonly minSdk: number
  readonly targetSdk: number
  /** By their whole names, in order. */
  readonly permissions: readonly string[]
  /** What no phone's owner should be handed: `debuggable`, `testOnly`. */
  readonly marks: readonly string[]
}

/** Attributes by their numbers, which is how phones know them: a name can be written beside another's number. `android.R.attr`, public-final.xml of the platform. */
const attributes = { name: 0x0101_0003, debuggable: 0x0101_000f, minSdkVersion: 0x0101_020c, versionCode: 0x0101_021b, versionName: 0x0101_021c, targetSdkVersion: 0x0101_0270, testOnly: 0x0101_0272, versionCodeMajor: 0x0101_0576 } as const
/** Chunks of frameworks/base/libs/androidfw/include/androidfw/ResourceTypes.h. */
const chunks = { xml: 0x0003, strings: 0x0001, numbers: 0x0180, namespaceBegins: 0x0100, namespaceEnds: 0x0101, begins: 0x0102, ends: 0x0103, text: 0x0104 } as const
const types = { string: 0x03, decimal: 0x10, hexadecimal: 0x11, boolean: 0x12 } as const
const nothing = 0xffff_ffff
const strings_max = 4_096
const elements_max = 4_096

interface Element { readonly name: string; readonly depth: number; readonly string: (attribute: number) => string | null; readonly number: (attribute: number) => number | null; readonly plain: (name: string) => string | null }

/** Reads `AndroidManifest.xml` in Android's binary form. @throws Unreadable */
export function readManifest(bytes: Buffer): Manifest {
  const elements = readElements(bytes)
  const [root] = elements
  if (root?.name !== 'manifest' || elements.filter(({ depth }) => depth === 0).length !== 1) throw new Unreadable('The manifest is none of a package.')
  const of = (name: string): Element | undefined => {
    const [first, second] = elements.filter((each) => each.name === name && each.depth === 1)
    if (second !== undefined) throw new Unreadable(`The manifest has ${name} twice.`)
    return first
  }
  const sdk = of('uses-sdk')
  const app = of('application')
  if ((root.number(attributes.versionCodeMajor) ?? 0) !== 0) throw new Unreadable('The manifest has a versionCodeMajor: number versions by versionCode alone.')
  return {
    application: must(root.plain('package'), 'a package name', /^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/), versionName: must(root.string(attributes.versionName), 'a versionName of letters, digits and ._+-, written out', /^[A-Za-z0-9._+-]{1,40}$/),
    versionCode: mustCount(root.number(attributes.versionCode), 'versionCode'), minSdk: mustCount(sdk?.number(attributes.minSdkVersion) ?? null, 'minSdkVersion'), targetSdk: mustCount(sdk?.number(attributes.targetSdkVersion) ?? null, 'targetSdkVersion'),
    // Also those that ask on some versions of Android alone, as uses-permission-sdk-23.
    permissions: [...new Set(elements.filter(({ name }) => name.startsWith('uses-permission')).map((each) => must(each.string(attributes.name), 'the name of a permission', /^[\w.]{1,120}$/)))].sort(),
    marks: (['debuggable', 'testOnly'] as const).filter((mark) => (app?.number(attributes[mark]) ?? 0) !== 0),
  }
}

function must(text: string | null, what: string, form: RegExp): string {
  if (text === null || text.length > 200 || !form.test(text)) throw new Unreadable(`The manifest lacks ${what}.`)
  return text
}

function mustCount(value: number | null, name: string): number {
  if (value === null || value < 1 || value > 0x7fff_ffff) throw new Unreadable(`The manifest lacks a ${name}, a number from 1 on.`)
  return value
}

function readElements(bytes: Buffer): readonly Element[] {
  const whole = cursorOf(bytes, 'The manifest')
  if (whole.u16() !== chunks.xml || whole.u16() !== 8 || whole.u32() !== bytes.length) throw new Unreadable('The manifest is not in the binary form: was the package built by aapt2?')
  let [strings, numbers, depth]: [readonly string[], readonly number[], number] = [[], [], 0]
  const elements: Element[] = []
  while (whole.left() > 0) {
    const { type, head, body } = readChunk(whole)
    if (type === chunks.strings) strings = readStrings(head, body)
    else if (type === chunks.numbers) numbers = Array.from({ length: body.length >> 2 }, (_, nth) => body.readUInt32LE(nth * 4))
    else if (type === chunks.begins) elements.push(readElement(body, strings, numbers, depth++))
    else if (type === chunks.ends) depth--
    else if (type !== chunks.namespaceBegins && type !== chunks.namespaceEnds && type !== chunks.text) throw new Unreadable(`The manifest holds something unknown, 0x${type.toString(16)}.`)
    if (depth < 0 || elements.length > elements_max) throw new Unreadable('The manifest has too many elements, or closes one that is not open.')
  }
  if (depth !== 0) throw new Unreadable('The manifest does not close all its elements.')
  return elements
}

/** @returns what follows the type and the two lengths of its head, and the rest */
function readChunk(whole: Cursor): { readonly type: number; readonly head: Buffer; readonly body: Buffer } {
  const [type, head_bytes, bytes] = [whole.u16(), whole.u16(), whole.u32()]
  if (head_bytes < 8 || bytes < head_bytes) throw new Unreadable('The manifest has a part with impossible lengths.')
  return { type, head: whole.take(head_bytes - 8), body: whole.take(bytes - head_bytes) }
}

function readStrings(head: Buffer, body: Buffer): readonly string[] {
  const [count, , flags, stringsAt] = Array.from({ length: 4 }, (_, nth) => (head.length < 20 ? 0 : head.readUInt32LE(nth * 4))) as [number, number, number, number]
  const start = stringsAt - head.length - 8
  if (head.length !== 20 || count > strings_max || start < count * 4 || start > body.length) throw new Unreadable('The manifest has a table of texts that is broken, or too long.')
  const isUtf8 = (flags & 0x100) !== 0
  return Array.from({ length: count }, (_, nth) => {
    const at = start + body.readUInt32LE(nth * 4)
    const text = cursorOf(body.subarray(Math.min(at, body.length)), 'A text of the manifest')
    if (!isUtf8) return text.take(2 * longLength(text)).toString('utf16le')
    shortLength(text)
    return text.take(shortLength(text)).toString('utf8')
  })
}

/** Of 15 bits, or of 31 where the first is set. */
function longLength(text: Cursor): number {
  const first = text.u16()
  return (first & 0x8000) === 0 ? first : (first & 0x7fff) * 0x1_0000 + text.u16()
}

/** Of 7 bits, or of 15. */
function shortLength(text: Cursor): number {
  const first = text.u8()
  return (first & 0x80) === 0 ? first : (first & 0x7f) * 0x100 + text.u8()
}

interface Attribute { readonly name: number; readonly type: number; readonly data: number }

function readElement(body: Buffer, strings: readonly string[], numbers: readonly number[], depth: number): Element {
  const element = cursorOf(body, 'An element of the manifest')
  element.take(4)
  const name = textAt(strings, element.u32())
  const [start, size, count] = [element.u16(), element.u16(), element.u16()]
  if (start !== 20 || size !== 20) throw new Unreadable('An element of the manifest has attributes of another form.')
  element.take(6)
  const all = Array.from({ length: count }, (): Attribute => {
    element.take(4)
    const of = element.u32()
    element.take(4 + 3)
    return { name: of, type: element.u8(), data: element.u32() }
  })
  element.end()
  const one = (is: (each: Attribute) => boolean, what: string): Attribute | undefined => {
    const [first, second] = all.filter(is)
    if (second !== undefined) throw new Unreadable(`An element ${name} of the manifest has ${what} twice.`)
    return first
  }
  const numbered = (attribute: number): Attribute | undefined => one((each) => numbers[each.name] === attribute, `attribute 0x${attribute.toString(16)}`)
  const stringOf = (found: Attribute | undefined): string | null => (found?.type === types.string ? textAt(strings, found.data) : null)
  return {
    name, depth,
    string: (attribute) => stringOf(numbered(attribute)),
    number(attribute) {
      const found = numbered(attribute)
      if (found === undefined) return null
      if (found.type !== types.decimal && found.type !== types.hexadecimal && found.type !== types.boolean) throw new Unreadable(`A number in an element ${name} of the manifest is not written out.`)
      return found.data
    },
    // Those without a number, as `package`.
    plain: (wanted) => stringOf(one((each) => (numbers[each.name] ?? 0) === 0 && strings[each.name] === wanted, wanted)),
  }
}

function textAt(strings: readonly string[], index: number): string {
  const text = index === nothing ? undefined : strings[index]
  if (text === undefined) throw new Unreadable('The manifest names a text that it does not have.')
  return text
}
