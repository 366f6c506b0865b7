package kawal.sinyal.sigmon.radio;

import android.content.Context;
import android.os.Build;
import android.os.Handler;
import android.telephony.CellInfo;
import android.telephony.TelephonyManager;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * One question to the modem, for all SIMs at once. It lives on the thread of its handler alone; what the phone calls back
 * on another is brought there.
 */
final class Scan {
  /** So long the phone may take to measure anew; then what it measured before has to do. */
  static final long ANSWER_MS_MAX = 1_200;

  interface Done {
    void done(Heard heard);
  }

  /** What one question brought. Ages of its cells are counted anew at each reading. */
  static final class Heard {
    final List<Slot> slots;
    /** Whether the phone gave a list of cells at all. */
    final boolean isAnswered;

    Heard(List<Slot> slots, boolean isAnswered) {
      this.slots = slots;
      this.isAnswered = isAnswered;
    }
  }

  private final Handler handler;
  private final TelephonyManager whole;
  private final Done told;
  private final List<Slot> slots;
  private final int count;
  private final List<Slot> waiting = new ArrayList<>();
  private final List<Slot> asked = new ArrayList<>();
  private boolean isAnswered;
  private boolean isOver;
  private final Runnable late = new Runnable() {
    @Override public void run() {
      end();
    }
  };

  Scan(Context context, TelephonyManager whole, Handler handler, Done told) {
    this.handler = handler;
    this.whole = whole;
    this.told = told;
    count = Sims.count(whole);
    slots = Sims.of(context, whole);
  }

  /** @param isAllowed whether the phone may be asked for cells: else only what the status bar knows is read */
  void begin(boolean isAllowed) {
    if (!isAllowed) {
      over();
      return;
    }
    asked.addAll(slots);
    if (asked.isEmpty()) asked.add(new Slot(0, null, null, null, whole));
    if (Build.VERSION.SDK_INT < 29) {
      end();
      return;
    }
    waiting.addAll(asked);
    handler.postDelayed(late, ANSWER_MS_MAX);
    for (Slot slot : asked) {
      try {
        Api29.ask(this, slot);
      } catch (RuntimeException refused) {
        answer(slot, null);
      }
    }
  }

  private void answer(Slot slot, List<CellInfo> cells) {
    if (isOver || !waiting.remove(slot)) return;
    if (cells != null) {
      isAnswered = slot.isAnswered = true;
      if (slots.contains(slot)) Shares.own(slots, slot, Cells.of(cells), count);
    }
    if (waiting.isEmpty()) end();
  }

  /** The cells that the phone remembers, for SIMs of which it said nothing. It gives those of all radios, whichever SIM is asked. */
  private void end() {
    if (isOver) return;
    handler.removeCallbacks(late);
    Slot silent = null;
    for (Slot slot : asked) if (!slot.isAnswered && (silent == null || Boolean.TRUE.equals(slot.dataSim))) silent = slot;
    if (silent != null) {
      List<CellInfo> cells = remembered(silent);
      isAnswered |= cells != null;
      if (cells != null && slots.contains(silent)) Shares.all(slots, silent, Cells.of(cells), count);
    }
    over();
  }

  private void over() {
    isOver = true;
    for (Slot slot : slots) slot.complete();
    told.done(new Heard(slots, isAnswered));
  }

  private static List<CellInfo> remembered(Slot slot) {
    try {
      return slot.phone.getAllCellInfo();
    } catch (RuntimeException refused) {
      return null;
    }
  }

  private static final class Api29 {
    static void ask(final Scan scan, final Slot slot) {
      Executor here = new Executor() {
        @Override public void execute(Runnable run) {
          scan.handler.post(run);
        }
      };
      slot.phone.requestCellInfoUpdate(here, new TelephonyManager.CellInfoCallback() {
        @Override public void onCellInfo(List<CellInfo> cells) {
          scan.answer(slot, cells);
        }

        @Override public void onError(int code, Throwable detail) {
          scan.answer(slot, null);
        }
      });
    }
  }
}
