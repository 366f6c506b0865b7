package kawal.sinyal.sigmon.radio;

import android.telephony.TelephonyManager;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** A SIM and the cells that are heard for it. */
final class Slot {
  private static final int CELLS_MAX = 32;

  final int number;
  /** Null where the phone does not tell which SIM carries data. */
  Boolean dataSim;
  /** Of the network that it is registered in. */
  final String plmn;
  /** Of the SIM's own operator. */
  final String simPlmn;
  /** What is asked for this SIM; null where the phone tells of it under another's name. */
  final TelephonyManager phone;
  final List<Cell> cells = new ArrayList<>();
  /** Whether it stands for all SIMs, because the phone does not tell of each. */
  boolean isWhole;
  /** Whether the phone has answered for this SIM alone. */
  boolean isAnswered;

  Slot(int number, Boolean dataSim, String plmn, String simPlmn, TelephonyManager phone) {
    this.number = number;
    this.dataSim = dataSim;
    this.plmn = plmn;
    this.simPlmn = simPlmn;
    this.phone = phone;
  }

  /** Adds a cell; of two that are one the newer stays, and the registered one before all. */
  void add(Cell cell) {
    for (int index = 0; index < cells.size(); index++) {
      Cell before = cells.get(index);
      if (!cell.isDoubleOf(before)) continue;
      boolean isBetter = cell.registered == before.registered ? cell.at > before.at : cell.registered;
      if (isBetter) cells.set(index, cell);
      return;
    }
    cells.add(cell);
  }

  /** Sets right what depends on the cells beside, and adds what only the status bar knows. */
  void complete() {
    Cell anchor = first("lte");
    // a slot is in 5G alone or in LTE with 5G beside it: never registered in both
    if (anchor != null) for (Cell cell : cells) if (cell.technology.equals("nr") && cell.registered) cell.becomeSecondary();
    if (phone == null || plmn == null) return;
    List<Cell> serving = Cells.serving(phone);
    if (!hasServing()) {
      Cell told = first(serving, "lte", "nr", "umts", "gsm");
      if (told == null) return;
      // an entry for the same technology without values says only what the bars say better
      told.registered = true;
      cells.add(0, told);
    }
    Cell beside = first(serving, "nr");
    if (first("lte") == null || beside == null || hasNr()) return;
    beside.becomeSecondary();
    cells.add(beside);
  }

  /** @param elapsed the phone's own clock at the reading, ms */
  JSONObject told(long elapsed) throws JSONException {
    JSONArray told = new JSONArray();
    for (int rank = 0; rank < 3; rank++)
      for (Cell cell : cells) {
        int own = cell.serves() ? 0 : cell.registered || Boolean.TRUE.equals(cell.secondary) ? 1 : 2;
        if (own == rank && told.length() < CELLS_MAX) told.put(cell.told(elapsed));
      }
    return new JSONObject().put("slot", number).put("dataSim", Cell.orNull(dataSim)).put("plmn", Cell.orNull(plmn)).put("simPlmn", Cell.orNull(simPlmn)).put("cells", told);
  }

  private boolean hasServing() {
    for (Cell cell : cells) if (cell.serves() && cell.hasLevels()) return true;
    return false;
  }

  private boolean hasNr() {
    for (Cell cell : cells) if (cell.technology.equals("nr") && Boolean.TRUE.equals(cell.secondary) && cell.hasLevels()) return true;
    return false;
  }

  private Cell first(String technology) {
    for (Cell cell : cells) if (cell.serves() && cell.technology.equals(technology)) return cell;
    return null;
  }

  private static Cell first(List<Cell> cells, String... technologies) {
    for (String technology : technologies) for (Cell cell : cells) if (cell.technology.equals(technology)) return cell;
    return null;
  }
}
