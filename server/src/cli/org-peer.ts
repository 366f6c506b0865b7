import { readFileSync } from 'node:fs'
import { roleOfKind, scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { deploymentSecret } from '../measurement/enrolment.ts'
import { createClient, type Target } from '../peer/client.ts'
import { readPeers, readPeerStates, removePeer, writePeer, type PeerState, type PeerVersion, type Proof } from '../peer/store.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

/** The options of a change, as the audit tells them: none is a secret. */
export const peerOptions = ['url', 'version', 'header', 'basic', 'oauth', 'client', 'remove'] as const
export const isPeerChange = (options: Options): boolean => options['url'] !== undefined || options['remove'] !== undefined

/** Lists the peers, or with --url gives an organisation one, with --remove takes it away; --try asks it. */
export async function peer({ database, options }: { readonly database: Database; readonly options: Options }, organisation: string | undefined): Promise<readonly [Readonly<Record<string, unknown>>, string]> {
  const secret = await deploymentSecret(database)
  if (organisation === undefined && (isPeerChange(options) || options['try'] !== undefined)) throw usage('Whose ticket system? Name the organisation.')
  if (organisation !== undefined) await mustHaveTickets(database, organisation)
  const told: string[] = []
  if (organisation !== undefined && options['remove'] !== undefined) told.push(await remove(database, secret, options, organisation))
  else if (organisation !== undefined && options['url'] !== undefined) await writePeer(database, secret, { organisation, ...targetOf(options) }, Date.now())
  if (organisation !== undefined && options['try'] !== undefined) told.push(await tryPeer(database, secret, options, organisation))
  const peers = await readPeerStates(database, secret, organisation ?? null)
  return [{ peers }, [...told, ...(peers.length === 0 && told.length === 0 ? ['No ticket system of an organisation is called.'] : peers.map(lineOf))].join('\n')]
}

const usage = (text: string): CommandFailure => new CommandFailure(exits.usage, text)

async function mustHaveTickets(database: Database, organisation: string): Promise<void> {
  const { rows: [row] } = await database.pool.query<{ kind: string }>('SELECT kind FROM organisation WHERE id = $1', [organisation])
  if (row === undefined) throw new CommandFailure(exits.rejected, `There is no organisation ${organisation}. "kawal org list" names them.`)
  if (scopeOf(roleOfKind[row.kind] ?? '', 'ticket', 'write') !== 'own') throw new CommandFailure(exits.rejected, `${organisation} answers no tickets of its own: a ${row.kind} has none to be sent.`)
}

function targetOf(options: Options): Target {
  const { url = '', version = '5' } = options
  if (version !== '4' && version !== '5') throw usage(`--version is 4 or 5, of TMF621 as that system speaks it, not ${version}.`)
  return { url: addressOf('url', url), version: Number(version) as PeerVersion, proof: proofOf(options) }
}

function addressOf(option: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') throw usage(`--${option} takes an address without a query or a password in it, as https://noc.example/tmf-api/troubleTicket/v5, not ${text || 'nothing'}.`)
  return url.href.replace(/\/+$/, '')
}

function proofOf(options: Options): Proof {
  const { header, basic, oauth, client } = options
  const kinds = [header, basic, oauth].filter((given) => given !== undefined).length
  if (kinds > 1) throw usage('One proof of who we are: --header, --basic or --oauth.')
  if (kinds === 0) {
    if (options['secretFile'] !== undefined || client !== undefined) throw usage('--secret-file and --client go with --header, --basic or --oauth.')
    return { kind: 'none' }
  }
  const secret = secretIn(options['secretFile'])
  if (header !== undefined) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header)) throw usage(`--header takes the name of a header, as X-API-Key, not ${header}.`)
    return { kind: 'header', name: header, secret }
  }
  if (basic !== undefined) return { kind: 'basic', user: basic, secret }
  if (client === undefined) throw usage('--oauth needs --client, our id there.')
  return { kind: 'oauth', tokenUrl: addressOf('oauth', oauth ?? ''), client, secret }
}

/** One line; what an editor puts at its end is no part of it. */
function secretIn(path: string | undefined): string {
  if (path === undefined) throw usage('Give the secret in a file, with --secret-file: on the command line others of this machine see it.')
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new CommandFailure(exits.rejected, `--secret-file ${path} cannot be read: ${(error as Error).message}`)
  }
  if (text === '' || /[\r\n]/.test(text)) throw new CommandFailure(exits.rejected, `--secret-file ${path} holds ${text === '' ? 'nothing' : 'more than one line'}: it takes the secret alone.`)
  return text
}

const hostsOf = (options: Options): string[] => (options['callbackHosts'] ?? '').split(',').map((host) => host.trim()).filter(Boolean)

/** Our listener there is ended too, as far as it can be. */
async function remove(database: Database, secret: Buffer, options: Options, organisation: string): Promise<string> {
  const [known] = await readPeers(database, secret, organisation)
  if (known === undefined) throw new CommandFailure(exits.rejected, `${organisation} has no ticket system that is called.`)
  await removePeer(database, organisation)
  const left = known.listener === null ? null : await createClient({ hosts: hostsOf(options), clock: Date.now }, known).unlisten(known.listener).then(() => null, (error: unknown) => (error as Error).message)
  return `${organisation} is called no more.${left === null ? '' : ` Our listener ${known.listener} there could not be ended: ${left}`}`
}

async function tryPeer(database: Database, secret: Buffer, options: Options, organisation: string): Promise<string> {
  const [known] = await readPeers(database, secret, organisation)
  if (known === undefined) throw new CommandFailure(exits.rejected, `${organisation} has no ticket system that is called: give it one with --url.`)
  const found = await createClient({ hosts: hostsOf(options), clock: Date.now }, known).list({ limit: '1' }).catch((error: unknown) => {
    throw new CommandFailure(exits.missing, (error as Error).message)
  })
  return `${known.url} answers as TMF621${found.tickets.length === 0 ? ', and shows us no ticket yet' : ''}.`
}

function lineOf({ organisation, url, version, events, succeededAt, failingSince, lastError, tickets, waiting, refused }: PeerState): string {
  const minute = (text: string | null): string => (text === null ? 'never' : `${text.slice(0, 16)}Z`)
  return [
    `${organisation.padEnd(20)} v${version} ${url}  ${events}  last answered ${minute(succeededAt)}${failingSince === null ? '' : `, failing since ${minute(failingSince)}`}; tickets ${tickets}, waiting ${waiting}, refused ${refused}`,
    ...(lastError === null ? [] : [`${''.padEnd(20)} ${lastError}`]),
  ].join('\n')
}
