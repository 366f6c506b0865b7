const everyMs = 60_000

/** On the wall nobody presses reload: a new build of the page reloads it. Gives back what stops the watch. */
export function watchVersion(isWanted: () => boolean): () => void {
  const mine = document.querySelector('script[type="module"]')?.getAttribute('src') ?? ''
  const timer = setInterval(() => {
    if (!isWanted() || mine === '') return
    void fetch(location.pathname, { cache: 'no-store' })
      .then(async (response) => {
        if (response.ok && !(await response.text()).includes(mine)) location.reload()
      })
      .catch(() => undefined)
  }, everyMs)
  return () => clearInterval(timer)
}
