package kawal.sinyal.sigmon.shell;

import android.content.Context;

/**
 * What the shell itself says, in both languages. In Java and not as resources, so that Maven alone compiles it: only
 * aapt2 makes R. English where the phone speaks it, Bahasa Indonesia for everybody else.
 */
enum Words {
  NOTHING_OPENS("Tidak ada aplikasi di HP ini yang dapat membukanya.", "No app on this phone can open it."),
  ENGINE_MISSING(
      "Sigmon memerlukan Android System WebView (di Android 7 sampai 9: Chrome). Aplikasi itu tidak terpasang atau dinonaktifkan di HP ini. Pasang atau aktifkan, lalu buka Sigmon lagi."
          + " Yang sudah tersimpan tidak hilang. Sigmon juga dapat dibuka di browser lain: %s",
      "Sigmon needs Android System WebView (on Android 7 to 9: Chrome). It is not installed or is switched off on this phone. Install it or switch it on, then open Sigmon again."
          + " What was kept is not lost. Sigmon can also be opened in another browser: %s"),
  ENGINE_OLD(
      "Android System WebView (di Android 7 sampai 9: Chrome) di HP ini versi %d, terlalu lama; Sigmon memerlukan versi %d atau lebih baru. Perbarui, lalu buka Sigmon lagi."
          + " Yang sudah tersimpan tidak hilang. Sigmon juga dapat dibuka di browser lain yang lebih baru: %s",
      "Android System WebView (on Android 7 to 9: Chrome) on this phone is version %d, which is too old; Sigmon needs version %d or newer. Update it, then open Sigmon again."
          + " What was kept is not lost. Sigmon can also be opened in another, newer browser: %s"),
  ENGINE_UPDATE("Perbarui", "Update"),
  AGAIN("Coba lagi", "Try again"),
  STOPPED(
      "Halaman Sigmon berhenti beberapa kali. Mungkin memori HP hampir penuh: tutup aplikasi lain, lalu coba lagi. Yang sudah tersimpan tidak hilang.",
      "Sigmon's page has stopped several times. The phone's memory may be nearly full: close other apps, then try again. What was kept is not lost.");

  private final String indonesian;
  private final String english;

  Words(String indonesian, String english) {
    this.indonesian = indonesian;
    this.english = english;
  }

  String in(Context context, Object... holes) {
    boolean isEnglish = "en".equals(context.getResources().getConfiguration().getLocales().get(0).getLanguage());
    return String.format(isEnglish ? english : indonesian, holes);
  }
}
