import type { Command } from 'commander'

type Act = (action: string, subject: string | undefined, options: Record<string, string>) => Promise<void>
type Option = readonly [flags: string, description: string]

const url: Option = ['--url <address>', 'address of the server, for the link (default: http://127.0.0.1:5105)']

/** What `kawal org` can do: how it is called, what it does, its own options. */
const actions: readonly (readonly [usage: string, description: string, options?: readonly Option[]])[] = [
  ['list', 'the organisations'],
  ['add <organisation>', 'add one', [
    ['--kind <kind>', 'ministry, kpu, bawaslu, apjii, bakti, operator, isp (the default) or helpdesk'],
    ['--name <name>', 'its name (default: its id)'],
    ['--area <code>', "of a helpdesk: the province, regency, district or village whose officers it helps; of KPU's office: the province or regency that it decides for"]]],
  ['invite <file>', 'add many with their duty contacts, each with a link, from CSV with the columns organisation, name, kind, contact, email, phone, level', [url, ['--keys', 'an API key for each new one too'], ['--dry-run', 'check everything, change nothing']]],
  ['link <organisation>', 'a log-in link for one person: works once, within 24 hours', [['--name <name>', 'of somebody new'], ['--person <id>', 'somebody who is there already'], url]],
  ['person <organisation>', 'its people: when they were last here, and how they log in', [['--end <id>', 'end all that this person can come in with']]],
  ['key <organisation>', 'make an API key, shown once; two at most are valid', [['--scope <scope>', 'all (the default), or read for one that asks by GET alone']]],
  ['keys <organisation>', 'its API keys that are valid'],
  ['revoke <organisation>', 'end its keys, links, sessions and passkeys', [['--key <id>', 'this key alone, as k-7f3a09c2b1']]],
  ['contacts [organisation]', 'duty contacts, of one or of all'],
  ['completeness', 'whose duty contacts lack what'],
  ['level [organisation]', 'how long a ticket may take; given where there are options, for one or for everybody (kawal)', [
    ['--severity <severity>', 'down or degraded'], ['--restore <minutes>', 'until service is back'], ['--repair <minutes>', 'until the repair is finished']]],
  ['peer [organisation]', 'ticket systems of their own that are called; given where there is an address', [
    ['--url <address>', 'of its TMF621, as https://noc.example/tmf-api/troubleTicket/v5'],
    ['--version <number>', 'of TMF621 as that system speaks it, 4 or 5 (the default)'],
    ['--header <name>', 'prove who we are by this header, whose value is in --secret-file'],
    ['--basic <user>', 'prove it by HTTP basic authentication'],
    ['--oauth <address>', 'prove it by OAuth 2.0 client credentials, from this token endpoint'],
    ['--client <id>', 'with --oauth: our id there'],
    ['--secret-file <file>', 'the secret, alone in a file'],
    ['--callback-hosts <hosts>', 'with --try or --remove: as kawal serve has them'],
    ['--try', 'ask it now, and say what is wrong'],
    ['--remove', 'it is called no more']]],
]

/** `kawal org`: each action a command of its own, so that its help is about it alone and no other's option is taken. */
export function addOrgCommands(program: Command, act: Act): void {
  const org = program.command('org').description('organisations, their people, keys, duty contacts, service levels and ticket systems')
  for (const [usage, description, options = []] of actions) {
    const command = org.command(usage).description(description)
    for (const [flags, words] of options) command.option(flags, words)
    const [name = ''] = usage.split(' ')
    command.action((...given: unknown[]) => {
      const [subject, chosen] = usage.includes(' ') ? given : [undefined, given[0]]
      return act(name, subject as string | undefined, chosen as Record<string, string>)
    })
  }
}
