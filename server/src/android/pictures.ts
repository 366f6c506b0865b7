const phone = '<rect class="frame" x="22" y="6" width="86" height="146" rx="11"/><circle class="ink" cx="65" cy="144" r="3"/>'
const numbered = (nth: number): string => `<circle class="fill" cx="20" cy="20" r="16"/><text class="number" x="20" y="27">${nth}</text>`
const drawn = (nth: number, inside: string) => (says: string): string => `<svg viewBox="0 0 120 158" role="img" aria-label="${says}">${phone}${inside}${numbered(nth)}</svg>`

/** The three steps, drawn in the page's own colours. Each takes what it shows, in words. */
export const pictures = {
  download: drawn(1, '<path class="stroke" d="M65 38v38M49 62l16 16 16-16M43 92h44"/><rect class="fill" x="34" y="108" width="62" height="22" rx="7"/><path class="on" d="M48 119h34"/>'),
  allow: drawn(2, '<path class="line" d="M36 44h44M36 60h58"/><rect class="fill" x="52" y="80" width="44" height="24" rx="12"/><circle class="dot" cx="84" cy="92" r="9"/><path class="line" d="M36 122h30"/>'),
  open: drawn(3, '<rect class="fill" x="43" y="38" width="44" height="44" rx="11"/><path class="on" d="M53 71v-6M62 71V61M71 71V55M80 71V49" transform="translate(-1.5)"/><path class="stroke" d="M53 100l8 8 16-17"/><rect class="fill" x="34" y="116" width="62" height="18" rx="7"/>'),
} as const
