#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { exits, fail } from './exits.ts'
import { listenForInterrupts } from './interrupt.ts'

/** `kawal`: every action is imported when it is asked for, so that the program starts at once. */
const program = new Command('kawal')
  .description('Kawal Sinyal: guards the signal of an election')
  .option('--data <folder>', 'where the embedded database lives', process.env['KAWAL_DATA'] ?? '.kawal')
  .option('--json', 'one JSON object on stdout instead of text')
  .showHelpAfterError()
  .exitOverride()

program
  .command('serve')
  .description('serve the console, Sigmon and the interfaces')
  .option('--host <address>', 'address to listen on; other than loopback only with certificate files', '127.0.0.1')
  .option('--port <number>', 'port to listen on', '5105')
  .option('--cert <file>', 'certificate chain (PEM)')
  .option('--key <file>', "the certificate's private key (PEM)")
  .option('--province <code>', 'watch one province only')
  .option('--callback-hosts <hosts>', 'hosts, with commas, that events of tickets may be posted to')
  .option('--trust-proxy <addresses>', 'addresses, with commas, of proxies in front that end TLS and name the caller')
  .option('--election <url>', 'the election server whose reach a check probes')
  .option('--internet <url>', 'an address on the open internet that a check probes')
  .action(async (options: Record<string, string>) => (await import('./serve.ts')).serve(all(options)))

program
  .command('rehearse')
  .description('simulate officers, networks, faults and operators on the real interface')
  .option('--seed <number>', 'equal seeds replay the same day', '1')
  .option('--province <code>', 'two-digit code of the province (default: 75 Gorontalo)')
  .option('--script <file>', 'faults from a JSON file instead of the seed')
  .option('--speed <factor>', 'how much faster than the wall clock; 0 is as fast as it goes')
  .option('--hours <number>', 'length of the rehearsed day', '4')
  .option('--stations <number>', 'at most this many stations, neighbours of each other', '2500')
  .option('--devices <number>', 'devices on duty a station', '2')
  .option('--port <number>', 'port to listen on', '5105')
  .option('--show', 'at a speed for watching; the screens stay open afterwards until Ctrl-C')
  .action(async (options: Record<string, string>) => (await import('./rehearse.ts')).rehearse(all(options)))

program
  .command('import <kind> <path>')
  .description('import reference data: register (a folder of CSV and GeoJSON files)')
  .option('--date <date>', 'from when the new version holds (YYYY-MM-DD)')
  .option('--dry-run', 'check everything, change nothing')
  .option('--rejects <folder>', 'where the list of rejects and warnings goes')
  .action(async (kind: string, path: string, options: Record<string, string>) => (await import('./import.ts')).importAction(kind, path, all(options)))

program
  .command('export <kind>')
  .description('export: codes (of the appointment letters), disturbances, stations; CSV on stdout')
  .option('--province <code>', 'one province only')
  .action(async (kind: string, options: Record<string, string>) => (await import('./export.ts')).exportAction(kind, all(options)))

program
  .command('org <action> [organisation]')
  .description('organisations: list, add ORGANISATION, link ORGANISATION (a one-time log-in link), key ORGANISATION (an API key), revoke ORGANISATION (its keys, links and sessions)')
  .option('--kind <kind>', 'of an organisation to add: ministry, kpu, bawaslu, apjii, bakti, operator, isp, helpdesk')
  .option('--name <name>', 'name of the organisation to add, or of the person the link is for')
  .option('--url <address>', 'address of the server, for the link', 'http://127.0.0.1:5105')
  .action(async (action: string, organisation: string | undefined, options: Record<string, string>) => (await import('./org.ts')).orgAction(action, organisation, all(options)))

program
  .command('doctor')
  .description('check what this machine and this data folder need')
  .action(async (options: Record<string, string>) => (await import('./doctor.ts')).doctor(all(options)))

function all(options: Record<string, string>): Record<string, string | undefined> {
  return { ...program.opts<Record<string, string>>(), ...options }
}

listenForInterrupts()
// A reader that has seen enough (`| head`) is no fault; the command still ends in order.
process.stdout.on('error', (error: Error & { code?: string }) => {
  if (error.code !== 'EPIPE') throw error
})

try {
  // `--json` and `--data` are taken after the command too, where people write them.
  for (const command of program.commands) command.option('--json', 'one JSON object on stdout').option('--data <folder>', 'where the embedded database lives').exitOverride()
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exits.ok : exits.usage
  else await fail(error)
}
