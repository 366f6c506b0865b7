import { brokenDisk } from './disk-faults.ts'
import { audit, createHistory, type History } from './history.ts'
import { killBoth } from './kill-faults.ts'
import { openKit, type Kit } from './kit.ts'
import { cutPhotos, cutTotals, loseAnswers, sendAtOnce } from './line-faults.ts'
import { deadReceiver, otherVersions, poisoned, wrongClocks } from './said-faults.ts'

const kills = 100

/** Each plays its faults and writes down what was sent and answered. @returns how often */
const classes: Readonly<Record<string, (kit: Kit, history: History) => Promise<number>>> = {
  cut_totals: cutTotals, answers_lost: loseAnswers, sent_at_once: sendAtOnce, disk: brokenDisk, clocks: wrongClocks, poison: poisoned, receiver_dead: deadReceiver, versions: otherVersions,
}

interface Faults { readonly lost: number; readonly doubled: number; readonly figures: Readonly<Record<string, number>> }

/**
 * The matrix of faults. After each class a checker holds what clients sent and were answered against what anybody can ask for (`history.ts`).
 * @param only classes to play; all without it
 */
export async function faults(seed: number, say: (text: string) => void, only: readonly string[] | null = null): Promise<Faults> {
  const figures: Record<string, number> = {}
  let [lost, doubled] = [0, 0]
  const tell = (name: string, runs: number, found: { readonly lost: number; readonly doubled: number; readonly why: readonly string[] }, began: number): void => {
    figures[`${name}_runs`] = runs
    lost += found.lost
    doubled += found.doubled
    say(`${name} ${runs} runs, ${found.lost} lost, ${found.doubled} doubled (${((performance.now() - began) / 1000).toFixed(1)} s)`)
    for (const why of found.why.slice(0, 10)) say(`  ${why}`)
  }
  const isWanted = (name: string): boolean => only === null || only.includes(name)
  const kit = await openKit()
  try {
    const play = async (name: string, work: (history: History) => Promise<number>): Promise<void> => {
      if (!isWanted(name)) return
      const began = performance.now()
      const history = createHistory()
      const runs = await work(history)
      await kit.settle()
      tell(name, runs, await audit(history, { url: kit.url(), token: kit.token, held: kit.receiver.held() }), began)
    }
    for (const [name, work] of Object.entries(classes)) await play(name, (history) => work(kit, history))
    await play('cut_photos', async (history) => {
      const { runs, resent_chunks_max } = await cutPhotos(kit, history)
      figures['photo_resent_chunks_max'] = resent_chunks_max
      return runs
    })
  } finally {
    await kit.close()
  }
  if (isWanted('killed')) {
    const began = performance.now()
    const found = await killBoth(kills, seed, say)
    tell('killed', found.runs, found, began)
  }
  return { lost, doubled, figures }
}
