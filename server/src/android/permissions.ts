interface Purpose { readonly id: string; readonly en: string }

/**
 * All that Sigmon may ask of a phone, by Android's names, and what for. What is not here is not handed out: no phone number, no IMEI, no contacts, no calls, no place
 * while the officer is off duty. The page of installation shows these words.
 */
export const permissionPurposes: Readonly<Record<string, Purpose>> = Object.fromEntries(([
  ['INTERNET', 'Mengirim laporan dan rekap ke platform ini', 'Send reports and recaps to this platform'],
  ['ACCESS_NETWORK_STATE', 'Tahu apakah ada jaringan, yang mana, dan apakah berbayar', 'Know whether there is a network, which one, and whether it is paid for'],
  ['ACCESS_COARSE_LOCATION', 'Membaca kuat sinyal tiap pemancar: Android memintanya sebagai izin lokasi', 'Read the signal strength of each cell: Android asks for that as location'],
  ['ACCESS_FINE_LOCATION', 'Membaca kuat sinyal tiap pemancar: Android memintanya sebagai izin lokasi', 'Read the signal strength of each cell: Android asks for that as location'],
  ['FOREGROUND_SERVICE', 'Tetap mengukur saat bertugas walau layar mati', 'Keep measuring on duty while the screen is off'],
  ['FOREGROUND_SERVICE_LOCATION', 'Tetap mengukur saat bertugas walau layar mati', 'Keep measuring on duty while the screen is off'],
  ['FOREGROUND_SERVICE_SPECIAL_USE', 'Tetap mengukur saat bertugas walau layar mati', 'Keep measuring on duty while the screen is off'],
  ['WAKE_LOCK', 'Tetap mengukur saat bertugas walau layar mati', 'Keep measuring on duty while the screen is off'],
  ['POST_NOTIFICATIONS', 'Menunjukkan bahwa tugas berjalan', 'Show that duty goes on'],
  ['RECEIVE_BOOT_COMPLETED', 'Melanjutkan tugas setelah HP dinyalakan ulang', 'Go on with duty after the phone was restarted'],
  ['CAMERA', 'Memotret formulir dan memindai QR surat tugas', "Photograph forms and scan the letter's QR"],
] as const).map(([name, id, en]) => [`android.permission.${name}`, { id, en }]))
