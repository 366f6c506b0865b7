import { after } from 'node:test'

/**
 * Of each test file's process: ends it some time after its last test, where something keeps it open. Not at once, as the
 * runner's `forceExit` would: `process.exit` waits for ever where V8 compiles in the background and needs a collection just
 * then (nodejs/node 54918; one run in three of receipt-code.test.ts). Half a second later nothing is being compiled.
 */
const rest_ms = 500
after(() => void setTimeout(() => process.exit(), rest_ms).unref())

// An error between tests, of the file itself, is nobody's to the runner.
process.on('uncaughtExceptionMonitor', () => process.on('exit', () => void (process.exitCode = 1)))
