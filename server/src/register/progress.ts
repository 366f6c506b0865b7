import { SingleBar } from 'cli-progress'

/** How far an import is; `share` runs from 0 to 1 over all its phases. */
export interface Progress {
  at(share: number, doing: string): void
  done(): void
}

export const quiet: Progress = { at: () => undefined, done: () => undefined }

/** A bar on a terminal, else a line for each tenth. Both go to `stream`: stdout is for data. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  if (stream.isTTY === true) {
    const bar = new SingleBar({ stream, format: '{bar} {percentage} % {doing}', hideCursor: true, clearOnComplete: false })
    bar.start(100, 0, { doing: '' })
    return { at: (share, doing) => bar.update(Math.floor(share * 100), { doing }), done: () => bar.stop() }
  }
  let tenth = -1
  return {
    at(share, doing) {
      const now = Math.floor(share * 10 + 1e-9)
      if (now <= tenth) return
      tenth = now
      stream.write(`${now * 10} % ${doing}\n`)
    },
    done: () => undefined,
  }
}
