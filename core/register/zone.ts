/** IANA names of WIB, WITA and WIT. */
export type Zone = 'Asia/Jakarta' | 'Asia/Makassar' | 'Asia/Jayapura'

const wita = new Set(['51', '52', '53', '63', '64', '65'])

/**
 * The time zone of a province by its code's first two digits (Keppres 41/1987: Sumatra, Java, West and
 * Central Kalimantan are WIB; the rest of Kalimantan, Bali, Nusa Tenggara and Sulawesi WITA; Maluku and
 * Papua WIT). New provinces keep their island's first digit.
 * @returns null for a first digit that no island group has
 */
export function zoneOf(code: string): Zone | null {
  const province = code.slice(0, 2)
  switch (province[0]) {
    case '1': case '2': case '3': return 'Asia/Jakarta'
    case '5': case '7': return 'Asia/Makassar'
    case '6': return wita.has(province) ? 'Asia/Makassar' : 'Asia/Jakarta'
    case '8': case '9': return 'Asia/Jayapura'
    default: return null
  }
}
