import { parentPort, workerData } from 'node:worker_threads'
import { runDay, type DayPlan } from './day.ts'

/** One day in a thread of its own: words on the way, the result at the end. */
parentPort?.postMessage({ result: runDay(workerData as DayPlan, (text) => parentPort?.postMessage({ text })) })
