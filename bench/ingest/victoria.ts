import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Missing } from '../missing.ts'
import { startPeer, type Running } from './processes.ts'

const program = '/usr/bin/victoria-metrics'

/** @throws Missing where the peer is not there */
export function needVictoria(): void {
  if (!existsSync(program)) throw new Missing('The peer is missing: VictoriaMetrics (apt-get install victoria-metrics).')
}

/** VictoriaMetrics of Debian on a folder of its own. Connections are kept, as ours are. */
export function startVictoria(folder: string, port: number): Promise<Running> {
  return startPeer(program, [`-storageDataPath=${join(folder, 'victoria')}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=1', '-http.connTimeout=12h', '-http.idleConnTimeout=12h', '-loggerLevel=ERROR'], port,
    () => fetch(`http://127.0.0.1:${port}/health`).then((answer) => answer.ok, () => false))
}
