/** The guide in three screens, and how to keep a phone from ending the app. */
export const helpId = {
  of: 'Layar {n} dari {all}', next: 'Lanjut', back: 'Kembali', skipAll: 'Lewati', done: 'Selesai',
  titles: ['Satu tombol, tiga jawaban', 'Tugas dan layar yang terkunci', 'Tanpa sinyal, tidak ada yang hilang'],
  words: { send: 'Kirim sekarang: jaringan cukup baik.', wait: 'Tunggu di tempat: menunggu lebih baik daripada berjalan.', move: 'Pindah: di sini tidak akan berhasil.' } as Record<string, string>,
  check: ['Tekan Periksa jaringan sebelum mengirim. Jawabannya datang dalam 10 detik.', 'Di bawahnya tertulis penyebabnya: HP, operator, titik akses, server pemilu, atau server Sigmon.'],
  duty: ['Tekan Mulai tugas saat TPS dibuka, dan Selesai tugas sebelum pulang.', 'Selama bertugas HP mengukur sendiri tiap beberapa menit, beberapa kilobyte saja.', 'HP yang terkunci tidak mengukur. Biarkan Sigmon terbuka, atau pilih "Jaga layar tetap menyala".', 'Baterai tinggal sedikit? Tekan Selesai tugas. Itu lebih baik daripada HP mati diam-diam.'],
  dutyShell: ['Layar boleh mati selama bertugas: aplikasi tetap mengukur. Pemberitahuannya menunjukkan bahwa tugas berjalan.', 'Supaya HP tidak menidurkannya, pilih "tidak dibatasi" di setelan baterai.'], batteryShell: 'Pilih "tidak dibatasi" untuk Sigmon di setelan baterai HP.',
  offline: ['Semua yang Anda ukur dan tulis disimpan di HP ini, lalu terkirim sendiri begitu ada jaringan.', 'Siap kirim berarti menunggu jaringan; Terkirim berarti sudah diterima server.', 'Layar Cari sinyal menunjukkan tiga titik akses terdekat, juga tanpa jaringan.', 'Kalau tetap tidak bisa, telepon nomor bantuan di bawah layar, atau simpan semua ke berkas di Data dan setelan.'],

  batteryIntro: 'Beberapa merek mematikan aplikasi untuk menghemat baterai. Nama menu berbeda antarversi: cari yang mirip.', batteryAll: ['Matikan Penghemat baterai selama bertugas.', 'Biarkan Sigmon terbuka di layar; pilih "Jaga layar tetap menyala" di Tugas.', 'Redupkan layar, dan sambungkan pengisi daya atau power bank.'],
  brandTitle: 'Merek HP Anda', brand: { samsung: 'Samsung Galaxy', xiaomi: 'Xiaomi, Redmi, POCO', oppo: 'OPPO, realme', vivo: 'vivo, iQOO', infinix: 'Infinix, Tecno, itel', other: 'Merek lain' } as Record<string, string>,
  stepsTitle: 'Langkahnya', appNote: 'Kalau Sigmon sudah dipasang di HP, atur Sigmon. Kalau belum, atur browser Anda (misalnya Chrome).',
  steps: {
    samsung: ['Buka Pengaturan, lalu Baterai (atau Perawatan perangkat, Baterai).', 'Buka Batas penggunaan latar belakang.', 'Buka Aplikasi yang tidak pernah tidur, ketuk +, dan tambahkan aplikasinya.', 'Pastikan aplikasi itu tidak ada di daftar Aplikasi tidur nyenyak.'],
    xiaomi: ['Buka Setelan, lalu Aplikasi, Kelola aplikasi, dan pilih aplikasinya.', 'Di Penghemat baterai pilih Tanpa pembatasan.', 'Nyalakan Mulai otomatis.', 'Buka daftar aplikasi terkini, tahan gambar aplikasinya, ketuk gembok.'],
    oppo: ['Buka Pengaturan, lalu Aplikasi, Manajemen aplikasi, dan pilih aplikasinya.', 'Buka Penggunaan baterai; nyalakan Izinkan aktivitas latar belakang.', 'Nyalakan Izinkan peluncuran otomatis.', 'Di daftar aplikasi terkini buka menu titik tiga aplikasinya, lalu Kunci.'],
    vivo: ['Buka Pengaturan, lalu Baterai.', 'Buka Manajemen konsumsi daya latar belakang dan pilih aplikasinya.', 'Pilih Jangan batasi (atau nyalakan Konsumsi daya latar belakang tinggi).', 'Di Izin, Mulai otomatis, nyalakan aplikasinya.'],
    infinix: ['Buka Pengaturan, lalu Baterai (Power Marathon); matikan mode hemat.', 'Buka Phone Master, lalu Manajemen mulai otomatis; nyalakan aplikasinya.', 'Di Pengaturan, Aplikasi, pilih aplikasinya, Baterai, pilih Tidak dibatasi.', 'Di daftar aplikasi terkini kunci aplikasinya dengan gembok.'],
    other: ['Buka Setelan, lalu Aplikasi, dan pilih aplikasinya.', 'Buka Baterai; pilih Tidak dibatasi.', 'Bila ada Mulai otomatis, nyalakan.'],
  } as Record<string, readonly string[]>,
}
export type Help = typeof helpId
