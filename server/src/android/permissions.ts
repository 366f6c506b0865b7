interface Purpose { readonly id: string; readonly en: string }

/**
 * All that Sigmon may ask of a phone, by Android's names, and what for. What is not here is not handed out: no phone number, no IMEI, no contacts, no calls, no place
 * while the officer is off duty. The page of installation shows these words.
 */
export const permissionPurposes: Readonly<Record<string, Purpose>> = Object.fromEntries(([
  ['INTERNET', 'mengirim laporan dan rekap ke platform ini', 'send reports and recaps to this platform'],
  ['ACCESS_NETWORK_STATE', 'tahu apakah ada jaringan, dan apakah berbayar', 'know whether there is a network, and whether it is paid for'],
  ['ACCESS_WIFI_STATE', 'membedakan Wi-Fi dari jaringan seluler', 'tell Wi-Fi from a mobile network'],
  ['ACCESS_COARSE_LOCATION', 'syarat Android untuk membaca kuat sinyal', 'what Android wants before it tells signal strength'],
  ['ACCESS_FINE_LOCATION', 'syarat Android untuk membaca kuat sinyal dari tiap pemancar', 'what Android wants before it tells the signal strength of each cell'],
  ['FOREGROUND_SERVICE', 'tetap mengukur saat bertugas walau layar mati', 'keep measuring on duty while the screen is off'],
  ['FOREGROUND_SERVICE_LOCATION', 'membaca sinyal saat bertugas walau layar mati', 'read the signal on duty while the screen is off'],
  ['FOREGROUND_SERVICE_DATA_SYNC', 'mengirim yang tertunda walau layar mati', 'send what waits while the screen is off'],
  ['FOREGROUND_SERVICE_SPECIAL_USE', 'tetap mengukur saat bertugas walau layar mati', 'keep measuring on duty while the screen is off'],
  ['POST_NOTIFICATIONS', 'menunjukkan bahwa tugas berjalan', 'show that duty goes on'],
  ['RECEIVE_BOOT_COMPLETED', 'melanjutkan tugas setelah HP dinyalakan ulang', 'go on with duty after the phone was restarted'],
  ['WAKE_LOCK', 'menyelesaikan satu laporan sebelum HP tidur', 'finish a report before the phone sleeps'],
  ['SCHEDULE_EXACT_ALARM', 'melapor pada waktu yang dijanjikan', 'report at the time that was promised'],
  ['USE_EXACT_ALARM', 'melapor pada waktu yang dijanjikan', 'report at the time that was promised'],
  ['REQUEST_IGNORE_BATTERY_OPTIMIZATIONS', 'bertanya apakah HP boleh tidak menidurkan aplikasi saat bertugas', 'ask that the phone does not put the app to sleep on duty'],
  ['CAMERA', 'memotret formulir dan memindai QR surat tugas', "photograph forms and scan the letter's QR"],
] as const).map(([name, id, en]) => [`android.permission.${name}`, { id, en }]))
