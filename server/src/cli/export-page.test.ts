import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { signing } from '@kawal/testkit/proofs.ts'
import { verifyPage } from '../ledger/page.ts'
import { exportPage } from './export-page.ts'

const key = formatVerifierKey(signing('kawal.example/ledger').key)
const witness = formatVerifierKey(signing('saksi.example', 'cosignature').key)

test('the page is handed out with the policy that it was asked for, and with nothing that would end its own element', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-page-'))
  try {
    const [out, path] = [join(folder, 'periksa.html'), join(folder, 'kebijakan.txt')]
    writeFileSync(path, `# kebijakan\nlog ${key}\nwitness saksi ${witness} https://saksi.example\nquorum saksi\n`)
    exportPage({ policy: path, out })
    const held = (file: string): unknown => JSON.parse(/<script id="trust" type="application\/json">([^<]*)<\/script>/.exec(readFileSync(file, 'utf8'))?.[1] ?? '')
    assert.equal(held(out), `log ${key}\nwitness saksi ${witness} https://saksi.example\nquorum saksi\n`)
    assert.match(verifyPage('</script><script>alert(1)</script>')?.html.toString() ?? '', /application\/json">"\\u003c\/script>\\u003cscript>/)
    for (const [options, told] of [[{ key }, /--out FILE/], [{ out }, /--key NAME\+ID\+KEY/], [{ out, key, policy: path }, /--key NAME\+ID\+KEY/], [{ out, key: 'kunci' }, /is no key of a log \(key_form\)/], [{ out, key: witness }, /of a witness/],
      [{ out, policy: join(folder, 'hilang') }, /cannot be read/], [{ out: join(folder, 'tak/ada.html'), key }, /Name another file/]] as const) assert.throws(() => exportPage(options), { message: told })
    writeFileSync(path, `log ${key}\nquorum saksi\n`)
    assert.throws(() => exportPage({ out, policy: path }), { message: /line 2 \(saksi\) names what no line above defines/ })
    writeFileSync(path, `witness saksi ${witness}\nquorum saksi\n`)
    assert.throws(() => exportPage({ out, policy: path }), { message: /names no log/ })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
