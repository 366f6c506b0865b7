import { parentPort, workerData } from 'node:worker_threads'
import { runWireDay, type WirePlan } from './day.ts'

/** One day in a thread of its own, with a server and a database of its own: words on the way, the result at the end. */
const result = await runWireDay(workerData as WirePlan, (text) => parentPort?.postMessage({ text }))
parentPort?.postMessage({ result })
