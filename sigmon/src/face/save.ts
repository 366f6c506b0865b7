import type { Session } from '../session.ts'

/** A browser writes what is downloaded by a link. In the shell that does nothing, and the shell asks where. @returns false when it was not saved there */
export async function saveFile(session: Pick<Session, 'shell'>, name: string, content: Blob): Promise<boolean> {
  if (session.shell !== null) return session.shell.save(name, content)
  const url = URL.createObjectURL(content)
  Object.assign(document.createElement('a'), { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
  return true
}
