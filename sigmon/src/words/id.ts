export const id = {
  language: 'English', title: 'Sigmon', station: 'TPS', loading: 'Membuka...',
  enrolTitle: 'Daftarkan HP ini', code: 'Kode TPS (13 angka)', letter: 'Kode di surat tugas', enrol: 'Daftar', enrolling: 'Mendaftar...',
  enrolOffline: 'Tidak ada sambungan ke server. Pindah ke tempat yang bersinyal, lalu coba lagi.', fault: 'Server menolak:',
  enrolAgain: 'Server tidak lagi mengenal HP ini. Daftarkan lagi; {n} pemeriksaan yang belum terkirim tetap tersimpan.',
  simTitle: 'Kartu SIM yang dipakai', simOther: 'Lainnya / tidak tahu', simWhy: 'Halaman web tidak dapat membaca operator dan kuat sinyal (dBm). Karena itu Anda yang memilih.',
  check: 'Periksa jaringan', checking: 'Memeriksa', cost: 'Biaya sekitar {kb} kB',
  send: 'KIRIM', wait: 'TUNGGU', move: 'PINDAH',
  fine: 'Jaringan baik. Silakan kirim.', slow: 'Jaringan lambat. Data kecil bisa lewat; tunggu untuk foto.', lossy: 'Banyak yang tidak sampai: jaringan operator Anda terganggu di sini.',
  phone_offline: 'HP Anda tidak tersambung. Periksa mode pesawat dan data seluler, atau pindah tempat.', no_answer: 'Tidak ada jawaban: tidak ada sinyal yang cukup di sini.',
  platform: 'Internet ada, server Sigmon tidak menjawab. Bukan salah HP atau operator Anda.', election_server: 'Jaringan Anda baik; server pemilu yang tidak menjawab. Tidak perlu pindah.',
  rtt: 'Waktu pulang-pergi', downLabel: 'Unduh', upLabel: 'Unggah', unknown: 'tidak diketahui', lost: '{n} tidak menjawab',
  startDuty: 'Mulai tugas', endDuty: 'Selesai tugas', onDuty: 'Bertugas. Laporan berikutnya {at}.', offDuty: 'Belum bertugas.',
  lockNote: 'HP yang terkunci atau aplikasi yang ditutup tidak mengukur. Biarkan layar ini terbuka.',
  waiting: 'Siap kirim', sent: 'Terkirim', refused: 'Gagal', sendNow: 'Kirim sekarang', sendFail: 'Belum terkirim: {why}. Dicoba lagi sendiri; tidak ada yang hilang.',
  whyOffline: 'tidak ada sambungan', whyBusy: 'server sedang penuh', whyStatus: 'server menjawab {status}',
  last: 'Pemeriksaan terakhir', none: 'Belum ada pemeriksaan.', help: 'Tidak dapat mendaftar? Hubungi PPS desa Anda.',
}
export type Words = typeof id
