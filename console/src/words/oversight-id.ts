/** The words of oversight in Bahasa Indonesia, loaded with it. Other languages must fill its type. */
export const oversightId = {
  how: 'Untuk siapa pun yang tidak mau percaya begitu saja. Tidak ada yang di sini mengubah rekap; setiap bagiannya dapat diperiksa di tempat lain, dengan alat orang lain.',
  parts: 'Bagian pengawasan',
  part: { ledger: 'Buku besar', sample: 'Uji petik' },
  noLedger: 'Buku besar tidak terbuka di server ini',
  noLedgerHow: 'Rekap sedang tidak diterima, atau buku besarnya dihentikan sampai orang melihatnya. Lihat log server dan docs/operating/recaps.md.',
  unreadable: 'Checkpoint ini tidak terbaca. Simpan isinya, lalu tanyakan kepada pengelola buku besar.',
  origin: 'Nama',
  size: 'Jumlah entri',
  root: 'Akar pohon',
  signers: 'Ditandatangani oleh',
  key: 'Kunci buku besar',
  keyHow: 'Cocokkan dengan yang Anda terima dari jalan lain: di atas kertas, atau lewat Bawaslu. Kunci yang hanya Anda dapat dari sini tidak membuktikan apa-apa.',
  checkpoint: 'Checkpoint terbaru',
  checkpointHow: 'Simpan yang ini. Dengan menyimpannya Anda sendiri dapat membuktikan kelak bahwa tidak ada yang diubah sejak sekarang.',
  download: 'Unduh checkpoint',
  self: 'Periksa sendiri',
  selfHow: 'Membaca semua entri, membuat lagi akarnya, dan membandingkan dengan yang pernah Anda lihat. Jalankan dari mesin mana pun; cara lain tanpa program kami ada di docs/operating/verify.md.',
  stateFile: 'terlihat.checkpoint',
}
export type OversightWords = typeof oversightId
