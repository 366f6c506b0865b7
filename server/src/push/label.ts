/** What a browser calls itself by, as people do: the first that is found, since each names those that it pretends to be behind itself. */
const browsers = [[/\bEdgA?\//, 'Edge'], [/\bOPR\//, 'Opera'], [/\bSamsungBrowser\//, 'Samsung Internet'], [/\bFirefox\//, 'Firefox'], [/\b(Headless)?Chrome\//, 'Chrome'], [/\bSafari\//, 'Safari']] as const
const systems = [[/\bAndroid\b/, 'Android'], [/\biPhone\b/, 'iPhone'], [/\biPad\b/, 'iPad'], [/\bWindows\b/, 'Windows'], [/\bMac OS X\b/, 'Mac'], [/\bLinux\b/, 'Linux']] as const

/** "Chrome, Android" of the header User-Agent, so that a person knows his devices apart; what is not known is left out. */
export function labelOf(userAgent: string): string {
  const found = [browsers, systems].flatMap((list) => list.find(([pattern]) => pattern.test(userAgent))?.[1] ?? [])
  return found.length === 0 ? 'Browser' : found.join(', ')
}
