package kawal.sinyal.sigmon.duty;

import java.util.HashMap;
import java.util.Map;

/** What the notification says, in Bahasa Indonesia or English. */
final class Words {
  final String name;
  final String end;
  private final String since;
  private final String next;
  private final String full;
  private final String tap;
  private final Map<String, String> held = new HashMap<>();

  Words(String language) {
    boolean isEnglish = language.equals("en");
    name = isEnglish ? "Duty" : "Tugas";
    end = isEnglish ? "End" : "Selesai";
    since = isEnglish ? "On duty since " : "Bertugas sejak ";
    next = isEnglish ? "Next report about " : "Laporan berikutnya sekitar ";
    full = isEnglish ? "The phone's storage is full: reports are held in memory. Make room." : "Penyimpanan HP penuh: laporan ditahan di memori. Kosongkan sedikit ruang.";
    tap = isEnglish ? "Tap to open the app: that brings back the signal values." : "Ketuk untuk membuka aplikasi agar nilai sinyal terbaca lagi.";
    held.put("battery", isEnglish ? "Paused: the battery is nearly empty. Goes on when the phone charges." : "Dijeda: baterai hampir habis. Lanjut bila HP diisi daya.");
    held.put("budget", isEnglish ? "Today's data limit is used up. Signal values are kept and sent tomorrow." : "Batas data hari ini habis. Nilai sinyal disimpan dan dikirim besok.");
    held.put("token", isEnglish ? "The platform refused this phone. Open the app and enrol again." : "Server menolak HP ini. Buka aplikasi dan daftar lagi.");
    held.put("block", isEnglish ? "Paused: open the app to go on." : "Dijeda: buka aplikasi untuk melanjutkan.");
  }

  String title(Standing standing) {
    return since + Instants.time(standing.since, standing.order.zone);
  }

  String text(Standing standing, boolean isFull, boolean wantsTap) {
    StringBuilder text = new StringBuilder();
    if (standing.held != null) text.append(held.get(standing.held));
    else if (standing.nextDueAt > 0) text.append(next).append(Instants.time(standing.nextDueAt, standing.order.zone)).append('.');
    if (isFull) text.append(' ').append(full);
    if (wantsTap) text.append(' ').append(tap);
    return text.toString().trim();
  }
}
