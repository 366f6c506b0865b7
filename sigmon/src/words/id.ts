import type { CheckResult } from '../check/check.ts'

type Verdict = CheckResult['verdict']

/** What the first screens say: enrolment, the check, duty and the frame around them. The rest is in more-id.ts. */
export const id = {
  language: 'English', title: 'Sigmon', station: 'TPS', loading: 'Membuka...', loadFailed: 'Layar ini tidak dapat dibuka tanpa jaringan. Coba lagi saat ada sinyal.', retry: 'Coba lagi', broken: 'Ada kesalahan di aplikasi. Muat ulang; semua yang tersimpan tetap ada.', reload: 'Muat ulang', skip: 'Langsung ke isi', navigation: 'Menu utama',
  page: { check: 'Boleh kirim sekarang?', duty: 'Tugas', signal: 'Cari sinyal', more: 'Lainnya', tps: 'TPS saya', data: 'Data dan setelan', problem: 'Lapor kendala', training: 'Panduan singkat', battery: 'Hemat baterai' }, enrolTitle: 'Daftarkan HP ini',
  tab: { check: 'Periksa', duty: 'Tugas', signal: 'Sinyal', more: 'Lainnya' },
  practiceWord: 'LATIHAN', practiceNote: 'Ini mode latihan. Tidak ada yang dikirim sebagai laporan sungguhan.', practiceEnd: 'Selesai latihan',
  offline: 'HP ini tidak tersambung. Semua tersimpan di HP dan terkirim sendiri begitu ada jaringan.',
  updateNote: 'Versi baru Sigmon sudah siap.', updateTake: 'Pakai sekarang', storageLow: 'Ruang simpan HP hampir penuh. Hapus foto atau aplikasi yang tidak dipakai.', storageFull: 'Ruang simpan HP penuh. Kosongkan sedikit; yang terbaru masih disimpan di ingatan selama layar ini terbuka.',
  provisional: 'Sementara', provisionalNote: 'Pendaftaran ini belum dikukuhkan server. Anda sudah bisa bekerja; pengukuhan berjalan sendiri saat ada jaringan.',

  enrolIntro: 'Pakai surat tugas Anda. Bisa tanpa sinyal.', scan: 'Pindai QR di surat tugas', orType: 'atau ketik sendiri', stationCode: 'Kode TPS (13 angka)', letterCode: 'Kode di surat tugas (17 tanda)',
  stationHint: 'Masih kurang {n} angka.', stationLong: 'Kelebihan {n} angka.', letterHint: 'Contoh bentuk: 1A2B-3C4D-5E6F-7G8H-J. Huruf O dibaca nol, huruf I dan L dibaca satu.', letterLeft: 'Masih kurang {n} tanda.', letterGood: 'Kode ini utuh, tidak ada salah ketik.',
  enrol: 'Daftar', enrolling: 'Mendaftar...', helpTitle: 'Butuh bantuan?', helpNone: 'Hubungi PPS desa Anda.', call: 'Telepon', sms: 'SMS', whatsapp: 'WhatsApp',
  enrolFault: {
    station_form: 'Kode TPS harus 13 angka, tanpa huruf. Lihat surat tugas Anda.',
    code_form: 'Kode surat tugas harus 17 tanda: huruf dan angka saja. Lihat lagi surat tugas Anda.',
    code_check: 'Ada salah ketik di kode surat tugas. Bandingkan lagi tanda demi tanda.',
    code_wrong: 'Kode ini bukan untuk TPS tersebut. Periksa kode TPS dan kode surat tugas.',
    station_unknown: 'TPS ini tidak ada di daftar. Periksa 13 angka kode TPS.',
    key_unusable: 'HP ini tidak dapat membuat kunci pengaman. Perbarui browser, atau pakai HP lain.',
    storage: 'HP ini tidak dapat menyimpan. Kosongkan ruang simpan, dan jangan pakai mode penyamaran.',
  } as Record<string, string>,
  refused: 'Server menolak pendaftaran:', refusedKept: '{n} pemeriksaan yang belum terkirim tetap tersimpan di HP ini.',

  check: 'Periksa jaringan', checking: 'Memeriksa', stepOf: 'langkah {n} dari {all}',
  step: { ping: 'menghitung waktu pulang-pergi', reach: 'mencoba internet dan server pemilu', down: 'mencoba unduh', up: 'mencoba unggah' },
  cost: 'Biaya sekitar {bytes}. Hari ini terpakai {today} dari {limit}.', costSmall: 'Batas data hampir habis: hanya pemeriksaan kecil yang jalan.', notYet: 'Ketuk tombol di atas. Jawabannya datang dalam 10 detik.',
  advice: { send: 'KIRIM', wait: 'TUNGGU', move: 'PINDAH' } satisfies Record<Verdict['advice'], string>,
  blame: { nobody: 'Semua berjalan baik', phone: 'Penyebab: HP ini', operator: 'Penyebab: jaringan operator', access_point: 'Penyebab: titik akses ini', election_server: 'Penyebab: server pemilu', platform: 'Penyebab: server Sigmon' } satisfies Record<Verdict['blame'], string>,
  reason: {
    fine: 'Jaringan baik. Silakan kirim.',
    wrong_clock: 'Jam HP salah. Nyalakan tanggal dan waktu otomatis di setelan HP.',
    phone_offline: 'HP tidak tersambung. Matikan mode pesawat, nyalakan data seluler atau Wi-Fi, atau pindah tempat.',
    no_answer: 'Tidak ada yang menjawab lewat jaringan ini. Pindah ke tempat atau jaringan lain.',
    portal: 'Jaringan ini meminta masuk lewat halaman Wi-Fi. Buka halaman itu di browser, masuk, lalu periksa lagi.',
    lossy: 'Banyak kiriman hilang di jalan lewat jaringan ini. Data kecil mungkin lewat, foto belum tentu.',
    slow: 'Jaringan lambat. Data kecil bisa lewat; untuk foto tunggu dulu.',
    partial: 'Lewat jaringan ini hanya sebagian yang terjangkau, padahal server pemilu hidup. Coba jaringan atau tempat lain.',
    election_down: 'Server pemilu sedang bermasalah. HP dan jaringan Anda baik; tidak perlu pindah.',
    election_unreachable: 'Server pemilu hidup, tetapi tidak terjangkau dari HP ini. Sinyal Anda baik; tidak perlu pindah, coba lagi sebentar lagi.',
    election_silent: 'Server pemilu tidak menjawab. Internet Anda berjalan; tidak perlu pindah.',
    platform: 'Server Sigmon tidak menjawab. Bukan salah HP atau operator Anda; laporan tetap tersimpan.',
    unmeasured: 'Tidak ada yang diukur: batas data habis. Naikkan batas di Data dan setelan, lalu periksa lagi.',
  } satisfies Record<Verdict['reason'], string>,
  at: 'per {at}', old: 'Hasil ini sudah {n} menit. Periksa lagi sebelum mengirim.',
  figures: 'Angka-angkanya', rtt: 'Waktu pulang-pergi, tengah', rttP95: 'Waktu pulang-pergi, 95% di bawah', jitter: 'Jitter (RFC 3550)', timeouts: 'Tidak menjawab', ofProbes: '{n} dari {all}', down: 'Unduh', up: 'Unggah', unknown: 'tidak diketahui', clockOff: 'Jam HP berselisih {n} menit dari server.',
  internet: 'Internet', election: 'Server pemilu', platform: 'Server Sigmon',
  reach: { ok: 'menjawab', timeout: 'tidak menjawab', offline: 'tidak tersambung', portal: 'dibelokkan ke halaman masuk Wi-Fi', http_error: 'menjawab dengan kesalahan', wrong_clock: 'jam HP salah', untested: 'tidak dicoba' } as Record<string, string>,
  spend: { limit: 'Batas data hari ini habis, jadi bagian ini dilewati. Naikkan batas di Data dan setelan.', saver: 'HP sedang menghemat data, jadi bagian yang besar dilewati.', metered: 'Jaringan ini berbayar per data, jadi bagian yang besar dilewati.', roaming: 'HP sedang roaming, jadi bagian yang besar dilewati.' } as Record<string, string>,
  signalTitle: 'Kuat sinyal', radioFrom: 'Dibaca {source}, {n} detik sebelum periksa.', radioSource: { modem: 'dari modem', android: 'dari HP', officer: 'dari petugas' } as Record<string, string>,
  signalClass: { strong: 'kuat', fair: 'sedang', weak: 'lemah', poor: 'sangat lemah' }, noDbm: 'Halaman web tidak dapat membaca kuat sinyal (dBm). Berapa batang di pojok atas layar HP Anda?',
  dropped: 'Di luar batas yang mungkin, jadi tidak dipakai: {list}.', radioFault: 'Nilai radio HP ini tidak dapat dibaca.',
  bars: ['Tanpa sinyal', '1 batang', '2 batang', '3 batang', '4 batang'], barsNote: 'Hanya untuk Anda, tidak dikirim: tiap HP menghitung batang dengan caranya sendiri. Yang menentukan ialah hasil periksa.',
  barsWord: ['Tanpa batang HP tidak bisa mengirim. Coba pindah beberapa puluh meter, atau ke titik akses.', 'Satu batang: teks mungkin lewat, foto belum tentu.', 'Dua batang: biasanya bisa, tetapi lambat.', 'Tiga batang: sinyal cukup. Kalau tetap lambat, jaringannya yang padat.', 'Empat batang: sinyal kuat. Kalau tetap gagal, bukan sinyalnya.'],
  findSignal: 'Cari tempat bersinyal', reportIt: 'Lapor kendala', simTitle: 'Kartu SIM yang dipakai', simOther: 'Lain / tidak tahu', simWhy: 'Halaman web tidak dapat membaca operator. Karena itu Anda yang memilih.', pointTitle: 'Anda di titik akses?', pointNone: 'Tidak, pakai SIM',
  trainingCard: 'Pertama kali? Tiga layar pendek menjelaskan semuanya.', trainingOpen: 'Buka panduan', later: 'Nanti saja',

  startDuty: 'Mulai tugas', endDuty: 'Selesai tugas', dutyOn: 'Bertugas sejak {at}', dutyOff: 'Belum bertugas', nextDue: 'Laporan berikutnya {at}.', dutyWhat: 'Selama bertugas, Sigmon mengukur sendiri tiap {n} menit dan mengirim laporan kecil (beberapa kilobyte).',
  promiseTitle: 'Mengapa ada jam laporan berikutnya?', promise: 'Tiap laporan berjanji kapan laporan berikutnya datang. Kalau janji itu lewat, pusat pemantauan tahu ada yang tidak beres di tempat Anda. Sebelum pulang tekan Selesai tugas, supaya diamnya HP tidak disangka gangguan.',
  lockNote: 'HP yang terkunci atau aplikasi yang ditutup tidak mengukur. Biarkan layar ini terbuka.', awake: 'Layar tetap menyala', awakeNote: 'Memakai lebih banyak baterai. Redupkan layar, atau sambungkan pengisi daya.', awakeCannot: 'Browser ini tidak dapat menahan layar tetap menyala. Atur waktu layar mati di setelan HP.', on: 'nyala', off: 'mati', batteryHelp: 'Supaya HP tidak mematikan Sigmon',
  sentTitle: 'Yang dikirim', draft: 'Draf', waiting: 'Siap kirim', sent: 'Terkirim', failed: 'Gagal', sendNow: 'Kirim sekarang', sendingWhy: 'Belum terkirim: {why}. Dicoba lagi sendiri {at}; tidak ada yang hilang.',
  whyOffline: 'tidak ada sambungan', whyBusy: 'server sedang ramai', whyStatus: 'server menjawab {status}', none: 'Belum ada pemeriksaan.', thinned: '{n} laporan rutin lama diringkas karena ruang penuh; awal dan akhir gangguan tetap ada.', received: 'diterima server {at}', allList: '{n} yang terbaru:',
}
export type Words = typeof id
