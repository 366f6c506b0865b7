#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { exits, fail } from './exits.ts'
import { listenForInterrupts } from './interrupt.ts'
import { addOrgCommands } from './org-commands.ts'
import { addVerifyCommands } from './verify-commands.ts'

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
  .option('--callback-hosts <hosts>', 'hosts, with commas, that events of tickets and pushes may be posted to though they are private or without TLS')
  .option('--url <address>', 'where people find the server, as https://kawal.example: links in messages begin with it, passkeys and pushes belong to it')
  .option('--oidc <file>', 'JSON with the providers of OpenID Connect that people log in at')
  .option('--mail <smtp>', 'mail server that messages to duty contacts go through, as smtp://USER:PASSWORD@HOST:587')
  .option('--mail-from <address>', 'sender of these mails; replies come to it with more behind a plus')
  .option('--mail-replies <address>', 'host:port on which replies are taken, where the mail server hands them over')
  .option('--sms <url>', 'gateway that short messages are posted to')
  .option('--trust-proxy <addresses>', 'addresses, with commas, of proxies in front that end TLS and name the caller')
  .option('--election <url>', 'the election server whose reach a check probes')
  .option('--internet <url>', 'an address on the open internet that a check probes')
  .option('--ledger <folder>', "where the ledger's key is, and what it signed last; ledger/ in the data folder without it. It is not put back together with an older database")
  .option('--acts <folder>', "where the key of the log of acts is, and what it signed last; acts/ in the data folder without it. As with the ledger's, it is not put back together with an older database")
  .option('--witness-policy <file>', "witnesses of the ledger, each with its address, and how many of them must have seen a checkpoint (C2SP tlog-policy); kawal witness prints the line of each")
  .option('--role <role>', 'platform, or custody: the box at an access point, where phones unload and which carries on', 'platform')
  .option('--up <url>', 'of a box: the platform that it carries to, as https://kawal.example')
  .option('--station <code>', 'of a box: the station that it is enrolled at; the code of its letter is read from KAWAL_LETTER')
  .option('--receiver <url>', 'where recaps that count are handed over; its token is read from KAWAL_RECEIVER_TOKEN')
  .option('--sigmon <file>', "JSON with Sigmon's settings in place of the defaults: intervalS, budget, helpLines, forms and more")
  .option('--impact <file>', 'JSON with what priorities are worked out with: weights, contests, deadlines')
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
  .description("import data: register (a folder of CSV and GeoJSON files), boundaries (villages' areas), coverage (an operator's areas, raster or sites), samples (drive tests)")
  .option('--date <date>', 'from when the new version holds (YYYY-MM-DD)')
  .option('--dry-run', 'check everything, change nothing')
  .option('--rejects <folder>', 'where the list of rejects and warnings goes')
  .option('--operator <organisation>', 'whose coverage it is; a list of sites may name its operators by code')
  .option('--technology <technology>', 'of the coverage: gsm, umts, lte, nr, fixed')
  .option('--layer <name>', 'which layer of a file that has several, or all')
  .option('--crs <system>', 'coordinate system of a file that declares none, as EPSG:32750')
  .option('--threshold <value>', 'least value of a covered pixel; without it, every value above 0')
  .option('--radius <metres>', 'of fixed coverage given by points without a radius')
  .option('--swap-axes', 'take latitude for longitude where only that lies in Indonesia')
  .option('--complete', "the list of sites is the operator's whole network")
  .action(async (kind: string, path: string, options: Record<string, string>) => (await import('./import.ts')).importAction(kind, path, all(options)))

program
  .command('export <kind>')
  .description('export: audit (who did what), codes (of the appointment letters), keys (that phones trust), disturbances, stations, and of the newest plan readiness, moves, access, as CSV on stdout; letters (to print), atlas, verify-page (that verifies receipts without a server), as files')
  .option('--from <instant>', 'of audit: what was done from then on, as 2029-02-14T07:00+07:00')
  .option('--to <instant>', 'of audit: what was done before, likewise')
  .option('--area <code>', 'of letters, readiness, moves and access: one province, regency, district or village only')
  .option('--province <code>', 'one province only; of the atlas also a regency, district or village')
  .option('--edition <id>', 'edition of the atlas', 'latest')
  .option('--format <format>', 'of the atlas: csv (the default), geojson, gpkg, pmtiles; of letters: html (the default), csv')
  .option('--out <path>', 'where the atlas or the page goes (a file), or the letters (a folder)')
  .option('--key <key>', 'of verify-page: the log that it trusts, as NAME+ID+KEY')
  .option('--policy <file>', 'of verify-page: logs and witnesses that it trusts, as C2SP tlog-policy')
  .option('--for <organisation>', 'of codes and letters: kpu (of officers, the default) or bawaslu (of supervisors)')
  .option('--url <address>', 'of letters: where phones find the server, as https://kawal.example')
  .option('--operator <organisation>', 'one operator of the atlas only')
  .option('--technology <technology>', 'one technology of the atlas only: gsm, umts, lte, nr, fixed')
  .action(async (kind: string, options: Record<string, string>) => (await import('./export.ts')).exportAction(kind, all(options)))

program
  .command('atlas <action> [editions...]')
  .description('the coverage atlas: list, show [EDITION], diff EDITION OTHER (CSV), verify [EDITION] (every hash), publish')
  .option('--date <date>', 'publish what is known of this day (default: today)')
  .option('--name <name>', 'name of the edition to publish')
  .option('--terrain <folder>', 'elevations for the edition to publish: PNG tiles, SRTM squares (.hgt), GeoTIFF')
  .option('--operators <ids>', 'publish these organisations only, with commas')
  .option('--licences <texts>', 'licences of what is published, with semicolons: every exported file carries them')
  .option('--operator <organisation>', 'one operator only')
  .option('--technology <technology>', 'one technology only: gsm, umts, lte, nr, fixed')
  .action(async (action: string, editions: string[], options: Record<string, string>) =>
    action === 'publish' ? (await import('./publish.ts')).publishAction(all(options)) : (await import('./atlas.ts')).atlasAction(action, editions, all(options)))

program
  .command('plan')
  .description('readiness of every station, access points for the blank ones and better venues, from an edition of the atlas')
  .option('--date <date>', 'register, operators and thresholds of this day (default: today)')
  .option('--edition <id>', 'an edition of the atlas, or latest', 'latest')
  .option('--operators <ids>', 'organisations, with commas (default: those with a PLMN code on the day)')
  .option('--province <code>', 'one province only')
  .option('--config <file>', 'JSON with settings in place of the defaults: thresholds, access, slots, siting, report_days')
  .action(async (options: Record<string, string>) => (await import('./plan.ts')).planAction(all(options)))

program
  .command('reports <action>')
  .description('the journal of reports: list (its hours), export (CSV on stdout), archive (old hours, as CSV in a folder), drop (old hours)')
  .option('--station <code>', 'export one station only')
  .option('--from <instant>', 'export what came from then on, as 2029-02-14T07:00+07:00')
  .option('--to <instant>', 'export what came before, likewise')
  .option('--days <number>', 'archive or drop the hours that ended longer ago')
  .option('--out <folder>', 'where archives go')
  .action(async (action: string, options: Record<string, string>) => (await import('./reports.ts')).reportsAction(action, all(options)))

program
  .command('scan')
  .description('where reports were bad more than chance explains, over hours of the past: clusters of stations by Kulldorff\'s scan')
  .option('--from <instant>', 'start of the window, with its offset, as 2029-02-14T14:00+07:00')
  .option('--to <instant>', 'end of the window, likewise')
  .option('--operator <organisation>', 'reports over one operator only')
  .option('--province <code>', 'stations of one province only')
  .option('--share <share>', 'a cluster holds at most this share of the reports', '0.25')
  .option('--p <probability>', 'clusters up to this p only', '0.05')
  .option('--csv', 'CSV, one row a station of a cluster, instead of text')
  .action(async (options: Record<string, string>) => (await import('./scan.ts')).scanAction(all(options)))

program
  .command('replay')
  .description('what detection did over hours of the past, made again from the stored reports, turn for turn')
  .option('--from <instant>', 'start of the time, with its offset, as 2029-02-14T07:00+07:00')
  .option('--to <instant>', 'end of the time, likewise')
  .option('--province <code>', 'where the server watched one province only: that one')
  .option('--check', 'hold it against what was written at the time; exit code 4 with the first difference')
  .action(async (options: Record<string, string>) => (await import('./replay.ts')).replayAction(all(options)))

addOrgCommands(program, async (action, organisation, options) => (await import('./org.ts')).orgAction(action, organisation, all(options)))

program
  .command('probe')
  .description('check unattended from a box or laptop at a station or access point: name the step that fails, measure, read the modem, report')
  .option('--server <url>', 'the platform, as https://kawal.example')
  .option('--station <code>', '13 digits of the station whose letter enrols this probe')
  .option('--code <code>', "the letter's code, needed once; or in KAWAL_PROBE_CODE, where other users of the box do not see it")
  .option('--interval <seconds>', 'how often to check; the platform may ask for less often', '300')
  .option('--modem <source>', 'where radio values come from: auto (ModemManager if it is there), mm, none, or a serial port as /dev/ttyUSB2', 'auto')
  .option('--access-point <id>', 'the access point whose network this is')
  .option('--access <kind>', 'cellular, wifi or wired (default: that of the default route)')
  .option('--sim <plmn>', "PLMN code of the SIM, as 51010 (default: the modem's)")
  .option('--election <url>', 'the election server, to be tried too')
  .option('--internet <url>', 'an address on the open internet, to be tried too')
  .option('--daily-mb <number>', 'what measuring may cost a day', '20')
  .option('--once', 'one check, one report; exit code 4 if not all is well')
  .action(async (options: Record<string, string>) => (await import('./probe.ts')).probe(all(options)))

program
  .command('device <action> <device>')
  .description('revoke a device: what its key signs counts no more from then on, and goes to quarantine')
  .option('--reason <text>', 'why, 200 characters at most: it goes into the ledger, which everybody may read')
  .option('--dry-run', 'say what would be done, change nothing')
  .action(async (action: string, device: string, options: Record<string, string>) => (await import('./device.ts')).deviceAction(action, device, all(options)))

program
  .command('android <action> [package]')
  .description('Sigmon for Android, as it is handed out at /android/: publish FILE.apk (one that was built and signed), list, withdraw VERSIONCODE')
  .option('--new-key', 'the package is signed with another key than the one before: phones that have Sigmon must remove it first')
  .option('--dry-run', 'read and check the package, publish nothing')
  .action(async (action: string, given: string | undefined, options: Record<string, string>) => (await import('./android.ts')).androidAction(action, given, all(options)))

addVerifyCommands(program, async (what, args, options) => (await import('./verify.ts')).verifyAction(what, args, all(options)))

program
  .command('witness')
  .description('watch logs for others (C2SP tlog-witness): cosign what a log shows as long as it begins with all that it showed before')
  .option('--key-folder <folder>', "where the witness's key is, and what it cosigned last; witness/ in the data folder without it. Keep it: an older copy cosigns a second history")
  .option('--name <name>', 'of a new key: its name for ever, as saksi.bawaslu.example/kawal')
  .option('--logs <file>', 'keys of the logs to watch, each on a line, as they are at the address of a log, /key; a policy will do too')
  .option('--host <address>', 'address to listen on; other than loopback only with certificate files', '127.0.0.1')
  .option('--port <number>', 'port to listen on', '5107')
  .option('--cert <file>', 'certificate chain (PEM)')
  .option('--key <file>', "the certificate's private key (PEM)")
  .option('--url <address>', 'where logs find the witness, as https://saksi.bawaslu.example: it is printed in the line for the policy')
  .option('--trust-proxy <addresses>', 'addresses, with commas, of proxies in front that end TLS and name the caller')
  .addHelpText('after', `
The first start makes a key, and prints the line that whoever runs the log puts into the policy that kawal serve --witness-policy takes:

  witness NAME saksi.bawaslu.example/kawal+ID+KEY https://saksi.bawaslu.example

docs/operating/witness.md says how to set one up, and what to do when it refuses.`)
  .action(async (options: Record<string, string>) => (await import('./witness.ts')).witnessAction(all(options)))

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
  for (const command of program.commands.flatMap((each) => (each.commands.length === 0 ? [each] : each.commands))) command.option('--json', 'one JSON object on stdout').option('--data <folder>', 'where the embedded database lives').exitOverride()
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exits.ok : exits.usage
  else await fail(error)
}
