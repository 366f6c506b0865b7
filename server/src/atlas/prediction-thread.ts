import { parentPort, workerData } from 'node:worker_threads'
import { predict } from '@kawal/core/atlas/predict.ts'
import type { PredictTask } from './prediction.ts'

const { sites, cells, resolution, terrain, config } = workerData as PredictTask
const { level_dbm, usable } = predict(sites, cells, resolution, terrain, config)
parentPort?.postMessage({ level_dbm, usable }, [level_dbm.buffer as ArrayBuffer, usable.buffer as ArrayBuffer])
