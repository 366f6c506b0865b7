package kawal.sinyal.sigmon.radio;

import java.util.ArrayList;
import java.util.List;

/**
 * Which SIM a cell belongs to. Many phones answer for one SIM with the cells of all radios, one radio's after the other's,
 * each beginning with the cell that it is registered in.
 */
final class Shares {
  private Shares() {}

  /**
   * Cells that were told for one SIM: they are its own, unless another SIM is in the network that they name.
   * @param count how many SIMs may be on duty at once
   */
  static void own(List<Slot> slots, Slot home, List<Cell> cells, int count) {
    Slot current = home;
    for (Cell cell : cells) {
      if (cell.serves()) current = home.isWhole ? other(slots, home, cell, count) : owner(slots, home, cell);
      put(slots, current, cell);
    }
  }

  /** Cells that were told for the phone as a whole, and are home's where nothing says otherwise. SIMs that were answered for alone take nothing from it. */
  static void all(List<Slot> slots, Slot home, List<Cell> cells, int count) {
    Slot current = home;
    for (Cell cell : cells) {
      if (cell.serves()) current = home.isWhole ? other(slots, home, cell, count) : next(slots, home, cell);
      if (!current.isAnswered) put(slots, current, cell);
    }
  }

  private static Slot owner(List<Slot> slots, Slot home, Cell cell) {
    if (cell.plmn == null || Sims.isSame(home.plmn, cell.plmn)) return home;
    for (Slot slot : slots) if (Sims.isSame(slot.plmn, cell.plmn)) return slot;
    return home;
  }

  /** Two SIMs in one network: the first cell is the first SIM's, as the radios stand in the list. */
  private static Slot next(List<Slot> slots, Slot home, Cell cell) {
    List<Slot> alike = new ArrayList<>();
    for (Slot slot : slots) if (Sims.isSame(slot.plmn, cell.plmn)) alike.add(slot);
    for (Slot slot : alike) if (!slot.isAnswered && !hasServing(slot)) return slot;
    return alike.isEmpty() ? owner(slots, home, cell) : alike.get(alike.size() - 1);
  }

  /** Where the phone tells of one SIM only, a cell in which that one cannot be registered shows that there is another. */
  private static Slot other(List<Slot> slots, Slot home, Cell cell, int count) {
    String network = home.plmn == null ? home.simPlmn : home.plmn;
    if (count < 2 || network == null || cell.plmn == null || Sims.isSame(network, cell.plmn)) return home;
    for (Slot slot : slots) if (Sims.isSame(slot.plmn, cell.plmn)) return slot;
    if (slots.size() >= count) return slots.get(slots.size() - 1);
    Slot other = new Slot(slots.size(), false, cell.plmn, null, null);
    slots.add(other);
    return other;
  }

  private static boolean hasServing(Slot slot) {
    for (Cell cell : slot.cells) if (cell.serves()) return true;
    return false;
  }

  /** A neighbour that was told twice as one measurement is the first's. */
  private static void put(List<Slot> slots, Slot slot, Cell cell) {
    if (!cell.registered) for (Slot other : slots) for (Cell each : other.cells) if (other != slot && each.isSameMeasurement(cell)) return;
    slot.add(cell);
  }
}
