package kawal.sinyal.sigmon.duty;

import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.sqlite.SQLiteDatabase;
import android.database.sqlite.SQLiteOpenHelper;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONException;
import org.json.JSONObject;

/** The database of the duty, in storage that no backup takes: where it stands, and its samples. What a call has written is on disk when it returns. */
final class Store extends SQLiteOpenHelper {
  /** Samples that may wait; then routine ones are thinned. */
  private static final int waiting_max = 2_000;
  private static final int sent_max = 500;
  private static final String newest_kept_routine = "SELECT id, sequence, body FROM sample WHERE state = 'waiting' AND station = ? ORDER BY id = (SELECT max(id) FROM sample WHERE state = 'waiting' AND station = ?) DESC, kind, id LIMIT ?";

  /** A sample that waits. */
  static final class Row {
    final long id;
    final JSONObject sample;

    Row(long id, JSONObject sample) {
      this.id = id;
      this.sample = sample;
    }
  }

  Store(Context context) {
    super(context, new File(context.getNoBackupFilesDir(), "duty.db").getPath(), null, 1);
  }

  @Override public void onConfigure(SQLiteDatabase database) {
    database.disableWriteAheadLogging();
    // A phone whose battery is taken out must not forget what it has numbered.
    database.execSQL("PRAGMA synchronous = FULL");
  }

  @Override public void onCreate(SQLiteDatabase database) {
    database.execSQL("CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
    database.execSQL("CREATE TABLE token (station TEXT PRIMARY KEY, token TEXT NOT NULL, is_refused INTEGER NOT NULL)");
    database.execSQL("CREATE TABLE spent (day TEXT PRIMARY KEY, bytes INTEGER NOT NULL)");
    database.execSQL("CREATE TABLE sample (id INTEGER PRIMARY KEY AUTOINCREMENT, station TEXT NOT NULL, token TEXT NOT NULL, sequence INTEGER NOT NULL, body TEXT NOT NULL, kind TEXT NOT NULL,"
        + " state TEXT NOT NULL, sent_at INTEGER, reason TEXT, UNIQUE (token, sequence))");
    database.execSQL("CREATE INDEX sample_state ON sample (state, station, kind, id)");
  }

  @Override public void onUpgrade(SQLiteDatabase database, int from, int to) {
    throw new IllegalStateException("There is no older form of this database than " + to + ", got " + from + ".");
  }

  synchronized JSONObject standing() {
    try (Cursor found = getReadableDatabase().rawQuery("SELECT value FROM about WHERE name = 'standing'", null)) {
      return found.moveToFirst() ? new JSONObject(found.getString(0)) : new JSONObject();
    } catch (JSONException torn) {
      throw new IllegalStateException(torn);
    }
  }

  synchronized void write(JSONObject standing) {
    ContentValues values = new ContentValues();
    values.put("name", "standing");
    values.put("value", standing.toString());
    getWritableDatabase().insertWithOnConflict("about", null, values, SQLiteDatabase.CONFLICT_REPLACE);
  }

  /** The token of a station from now on; what waits for the station goes with it. */
  synchronized void trust(String station, String token) {
    ContentValues values = new ContentValues();
    values.put("station", station);
    values.put("token", token);
    values.put("is_refused", 0);
    getWritableDatabase().insertWithOnConflict("token", null, values, SQLiteDatabase.CONFLICT_REPLACE);
  }

  synchronized void refuse(String station, String token) {
    getWritableDatabase().execSQL("UPDATE token SET is_refused = 1 WHERE station = ? AND token = ?", new Object[] {station, token});
  }

  /** @return null where the platform has refused it */
  synchronized String token(String station) {
    try (Cursor found = getReadableDatabase().rawQuery("SELECT token FROM token WHERE station = ? AND is_refused = 0", new String[] {station})) {
      return found.moveToFirst() ? found.getString(0) : null;
    }
  }

  /** @return the last number that a sample with this token has; 0 for none */
  synchronized long lastSequence(String token) {
    return number("SELECT coalesce(max(sequence), 0) FROM sample WHERE token = ?", token);
  }

  /** Writes a sample and where the duty then stands, both or neither. Where the number was used before it fails. */
  synchronized void keep(String station, String token, JSONObject sample, boolean isKept, JSONObject standing) {
    SQLiteDatabase database = getWritableDatabase();
    database.beginTransaction();
    try {
      ContentValues values = new ContentValues();
      values.put("station", station);
      values.put("token", token);
      values.put("sequence", sample.optLong("sequence"));
      values.put("body", sample.toString());
      values.put("kind", isKept ? "kept" : "routine");
      values.put("state", "waiting");
      database.insertOrThrow("sample", null, values);
      write(standing);
      thin(waiting_max);
      database.setTransactionSuccessful();
    } finally {
      database.endTransaction();
    }
  }

  /** What goes next: the newest, since it says how it is now; then what is never thinned; then the rest, oldest first. */
  synchronized List<Row> batch(String station, int max) {
    List<Row> rows = new ArrayList<>();
    try (Cursor found = getReadableDatabase().rawQuery(newest_kept_routine, new String[] {station, station, String.valueOf(max)})) {
      while (found.moveToNext()) rows.add(new Row(found.getLong(0), new JSONObject(found.getString(2))));
    } catch (JSONException torn) {
      throw new IllegalStateException(torn);
    }
    return rows;
  }

  synchronized List<String> stations() {
    List<String> stations = new ArrayList<>();
    try (Cursor found = getReadableDatabase().rawQuery("SELECT DISTINCT station FROM sample JOIN token USING (station) WHERE state = 'waiting' AND is_refused = 0", null)) {
      while (found.moveToNext()) stations.add(found.getString(0));
    }
    return stations;
  }

  /** What the receipt says of each, and where the duty then stands. */
  synchronized void mark(List<Row> rows, Receipt receipt, long at, JSONObject standing) {
    SQLiteDatabase database = getWritableDatabase();
    database.beginTransaction();
    try {
      for (int i = 0; i < rows.size(); i++) {
        String reason = receipt.quarantined.get(i);
        database.execSQL("UPDATE sample SET state = ?, sent_at = ?, reason = ? WHERE id = ?", new Object[] {reason == null ? "sent" : "refused", at, reason, rows.get(i).id});
      }
      database.execSQL("DELETE FROM sample WHERE state = 'sent' AND id NOT IN (SELECT id FROM sample WHERE state = 'sent' ORDER BY id DESC LIMIT " + sent_max + ")");
      write(standing);
      database.setTransactionSuccessful();
    } finally {
      database.endTransaction();
    }
  }

  synchronized void refuse(Row row, String reason) {
    getWritableDatabase().execSQL("UPDATE sample SET state = 'refused', reason = ? WHERE id = ?", new Object[] {reason, row.id});
  }

  /** Sent samples go first; then every second routine one of the older half. */
  synchronized void makeRoom() {
    if (forget()) return;
    long waiting = count("waiting");
    thin(waiting - Math.max(10, waiting / 8));
  }

  /** Takes away what was sent. @return whether there was any */
  synchronized boolean forget() {
    return getWritableDatabase().delete("sample", "state = 'sent'", null) > 0;
  }

  /** core/measurement/thin.ts: a long outage becomes coarse where it is longest past. */
  private void thin(long max) {
    long excess = count("waiting") - max;
    if (excess <= 0) return;
    List<Long> routine = new ArrayList<>();
    try (Cursor found = getReadableDatabase().rawQuery("SELECT id FROM sample WHERE state = 'waiting' AND kind = 'routine' ORDER BY id", null)) {
      while (found.moveToNext()) routine.add(found.getLong(0));
    }
    for (int turn = 0; turn < 64 && excess > 0 && !routine.isEmpty(); turn++) {
      List<Long> left = new ArrayList<>();
      int half = (routine.size() + 1) / 2;
      for (int i = 0; i < routine.size(); i++) {
        if (i < half && i % 2 == 0 && excess > 0) {
          getWritableDatabase().execSQL("DELETE FROM sample WHERE id = ?", new Object[] {routine.get(i)});
          excess--;
        } else left.add(routine.get(i));
      }
      routine = left;
    }
  }

  synchronized long count(String state) {
    return number("SELECT count(*) FROM sample WHERE state = ?", state);
  }

  private long number(String query, String argument) {
    try (Cursor found = getReadableDatabase().rawQuery(query, argument == null ? null : new String[] {argument})) {
      return found.moveToFirst() ? found.getLong(0) : 0;
    }
  }

  synchronized void spend(String day, long bytes) {
    getWritableDatabase().execSQL("INSERT OR IGNORE INTO spent VALUES (?, 0)", new Object[] {day});
    getWritableDatabase().execSQL("UPDATE spent SET bytes = bytes + ? WHERE day = ?", new Object[] {bytes, day});
    getWritableDatabase().execSQL("DELETE FROM spent WHERE day NOT IN (SELECT day FROM spent ORDER BY day DESC LIMIT 10)");
  }

  synchronized long spent(String day) {
    return number("SELECT coalesce(sum(bytes), 0) FROM spent WHERE day = ?", day);
  }

  /** Rows of a `DutyState`, the newest first. */
  synchronized List<JSONObject> newest(int max) {
    List<JSONObject> rows = new ArrayList<>();
    try (Cursor found = getReadableDatabase().rawQuery("SELECT body, state, sent_at, reason FROM sample ORDER BY id DESC LIMIT " + max, null)) {
      while (found.moveToNext())
        rows.add(new JSONObject().put("sample", new JSONObject(found.getString(0))).put("state", found.getString(1))
            .put("sentAt", found.isNull(2) ? JSONObject.NULL : (Object) found.getLong(2)).put("reason", found.isNull(3) ? JSONObject.NULL : found.getString(3)));
    } catch (JSONException torn) {
      throw new IllegalStateException(torn);
    }
    return rows;
  }
}
