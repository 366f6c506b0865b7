import type { Command } from 'commander'

type Act = (what: string, args: readonly string[], options: Record<string, string>) => Promise<void>
type Option = readonly [flags: string, description: string, isMany?: 'many']

const key: Option = ['--key <key>', 'key of the log, as you were given it: NAME+ID+KEY']

/** What `kawal verify` can hold something against: how it is called, what it says, its own options. */
const questions: readonly (readonly [usage: string, description: string, options: readonly Option[]])[] = [
  ['log <where>', 'whether every file of a log is what its key signed; WHERE is its address, as https://kawal.example/ledger, or a folder', [key,
    ['--witnesses <keys>', 'keys of witnesses, with commas; each must have signed'],
    ['--policy <file>', 'the log and a quorum of its witnesses that must have signed (C2SP tlog-policy), in place of --key and --witnesses'],
    ['--state <folder>', 'what was seen before, which it must begin with; the newest checkpoint, alarms and what proves a fork go there'],
    ['--mirror <folder>', 'a copy of its files, for any web server; what is there is not fetched again'],
    ['--records', "verify every record's signature by the keys that the log enrolled, too"],
    ['--follow', 'keep looking; whatever is found ends it with exit code 4'],
    ['--every <seconds>', 'with --follow: how often (default: 30)'],
    ['--silence <minutes>', 'with --follow: cry out when nothing, or nothing newer, came for so long']]],
  ['receipt <receipt> <record>', 'whether a record is in the log: two files, and no network', [key, ['--policy <file>', 'the log and its witnesses that the receipt must have (C2SP tlog-policy), in place of --key']]],
  ['recaps', 'what lacks between what was due, what phones and boxes had, the log and the receiver', [key,
    ['--log <where>', 'the log, its address or a folder with its files'],
    ['--roster <file>', 'CSV of the stations where records are due, as kawal export stations writes it'],
    ['--contests <names>', 'contests that are held, with commas, as ppwp,dpr:300 with the most voters a station where that differs (default: all five)'],
    ['--receiver <file>', 'what the receiver says it has, CSV or an object a line'],
    ['--box <where>', '"KEY WHERE", the log of a box; again for each', 'many'],
    ['--record <file>', 'a signed record that somebody shows; again for each', 'many'],
    ['--photos <folder>', 'photos by their names (HASH-SIZE), and their lists (.cbor)'],
    ['--csv <file>', 'where every line is written']]],
  ['draw <where>', 'whether what was drawn and found in the log at WHERE is sound', [key, ['--roster <files>', 'codes of all stations, one a line, as /v1/audits/roster gives them']]],
  ['android <package> <where>', 'whether a package of Sigmon for Android was published; WHERE is the log of acts, as https://kawal.example/acts, or a folder', [key]],
  ['act <proofs...>', 'whether proofs show acts of the log of acts, and which; no network', [key]],
  ['acts <address> [rows]', 'whether the audit is as the log of acts says; ROWS is a copy of it, CSV or JSON', [key,
    ['--from <instant>', 'what was done from then on, as 2029-02-14T07:00+07:00'],
    ['--to <instant>', 'what was done before, likewise'],
    ['--organisation <organisation>', 'the rows are of this organisation alone']]],
]

/** `kawal verify`: each question a command of its own, so that its help is about it alone and no other's option is taken. */
export function addVerifyCommands(program: Command, act: Act): void {
  const verify = program.command('verify').description('hold a log, receipts, recaps, draws or the audit against what was signed; exit code 4 where it is not so')
  for (const [usage, description, options] of questions) {
    const command = verify.command(usage).description(description)
    for (const [flags, text, isMany] of options) {
      if (isMany === undefined) command.option(flags, text)
      else command.option(flags, text, together)
    }
    command.action(async (...given: unknown[]) => {
      const [what = ''] = usage.split(' ')
      await act(what, given.slice(0, -2).flat().filter((each): each is string => typeof each === 'string'), given.at(-2) as Record<string, string>)
    })
  }
}

/** An option that is given several times, a line each. */
function together(value: string, before?: string): string {
  return before === undefined ? value : `${before}\n${value}`
}

