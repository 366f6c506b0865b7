import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openapi } from './openapi.ts'

/** Writes the committed document; a test holds it against the operations. */
writeFileSync(join(import.meta.dirname, 'openapi.json'), JSON.stringify(openapi(), null, 2) + '\n')
