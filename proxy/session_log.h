/* What a session leaves behind: its line in the block log, the counters, and
 * its line in the access log. For session.c. */
#ifndef SESSION_LOG_H
#define SESSION_LOG_H

#include "session.h"

/* Of what is known now: the line in the block log, where one is due, the counters, and the head of the access
 * line, which has its end when all is over. */
void session_log(struct session *s);
void session_log_end(struct session *s, enum tf_reason reason,
                     int64_t started_us); /* counts the bytes, too */
/* A session is over, for `end`: puts into its facts, as far as there still are any, what has become of it.
 * Answers with the reason for the access line. */
enum tf_reason session_note_end(struct session *s, enum tf_reason end);

#endif
