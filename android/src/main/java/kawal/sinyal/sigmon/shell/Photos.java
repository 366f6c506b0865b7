package kawal.sinyal.sigmon.shell;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;

/** Photos of forms on their way from the camera app to the page: files of the cache, each lent to who was named for it. */
public final class Photos extends ContentProvider {
  private static final String AUTHORITY = "kawal.sinyal.sigmon.photos";
  /** The page has read a photo long before; one that it has not is taken again. */
  private static final long KEPT_MS = 24L * 60 * 60 * 1000;

  /** A new name, for the camera app to write to. */
  static Uri create(Context context, long now) {
    File folder = folder(context);
    folder.mkdirs();
    return new Uri.Builder().scheme("content").authority(AUTHORITY).appendPath("form-" + now + ".jpg").build();
  }

  /** Whether the camera app wrote anything: some say OK without. */
  static boolean isThere(Context context, Uri photo) {
    return new File(folder(context), String.valueOf(photo.getLastPathSegment())).length() > 0;
  }

  /** Removes what has been read. */
  static void clear(Context context, long now) {
    File[] files = folder(context).listFiles();
    if (files != null) for (File file : files) if (now - file.lastModified() > KEPT_MS) file.delete();
  }

  private static File folder(Context context) {
    return new File(context.getCacheDir(), "photos");
  }

  private File fileOf(Uri uri) throws FileNotFoundException {
    String name = uri.getPathSegments().size() == 1 ? uri.getLastPathSegment() : "";
    if (name == null || !name.matches("form-[0-9]+\\.jpg")) throw new FileNotFoundException("There is no such photo: " + uri);
    return new File(folder(getContext()), name);
  }

  @Override public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
    return ParcelFileDescriptor.open(fileOf(uri), ParcelFileDescriptor.parseMode(mode));
  }

  @Override public Cursor query(Uri uri, String[] columns, String where, String[] values, String order) {
    String[] asked = columns == null ? new String[] {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE} : columns;
    MatrixCursor cursor = new MatrixCursor(asked, 1);
    try {
      File file = fileOf(uri);
      MatrixCursor.RowBuilder row = cursor.newRow();
      for (String column : asked) row.add(OpenableColumns.DISPLAY_NAME.equals(column) ? file.getName() : OpenableColumns.SIZE.equals(column) ? (Object) file.length() : null);
    } catch (FileNotFoundException gone) {
      return cursor;
    }
    return cursor;
  }

  @Override public String getType(Uri uri) {
    return "image/jpeg";
  }

  @Override public boolean onCreate() {
    return true;
  }

  @Override public Uri insert(Uri uri, ContentValues values) {
    throw new UnsupportedOperationException();
  }

  @Override public int delete(Uri uri, String where, String[] values) {
    throw new UnsupportedOperationException();
  }

  @Override public int update(Uri uri, ContentValues values, String where, String[] matched) {
    throw new UnsupportedOperationException();
  }
}
