#include "state.h"

#include "camera_edge.h"

enum { PIECE = 4096, KNOWN = 0x8000 };
static const char MAGIC[8] = "CE-NORM";
static const float SCENE_STEPS = 128; /* in a grey level */

static uint8_t piece[PIECE];

/* FNV-1a (Fowler, Noll, Vo) over words of four bytes. */
static uint64_t mixed(uint64_t sum, const uint8_t *bytes, uint32_t len) {
    for (uint32_t i = 0; i + 4 <= len; i += 4) {
        uint32_t word;
        __builtin_memcpy(&word, bytes + i, 4);
        sum = (sum ^ word) * 0x100000001B3ULL;
    }
    return sum;
}

static const uint64_t FIRST_SUM = 0xCBF29CE484222325ULL;

static int32_t read_all(uint32_t offset, void *to, uint32_t len) {
    return camera_edge_state_get(offset, to, len) == (int32_t)len;
}

state_found state_look(state_head *head) {
    int32_t len = camera_edge_state_get(0, (uint8_t *)head, sizeof *head);
    if (len <= 0) return STATE_NONE;
    for (uint32_t i = 0; i < sizeof MAGIC; i++)
        if (len < (int32_t)sizeof *head || head->magic[i] != MAGIC[i]) return STATE_ALIEN;
    if (head->version != STATE_VERSION) return STATE_OTHER_VERSION;
    uint64_t sum = FIRST_SUM;
    for (uint32_t at = sizeof *head; at < head->bytes; at += PIECE) {
        uint32_t want = head->bytes - at < PIECE ? head->bytes - at : PIECE;
        if (!read_all(at, piece, want)) return STATE_DAMAGED;
        sum = mixed(sum, piece, want);
    }
    uint64_t kept = sizeof(learned) + (uint64_t)head->width * head->height * 2;
    return sum == head->checksum && head->bytes == (kept + 3) / 4 * 4 ? STATE_GOOD : STATE_DAMAGED;
}

void state_read(learned *l, scene *s) {
    read_all(0, l, sizeof *l);
    state_read_scene(s);
}

void state_read_scene(scene *s) {
    uint32_t count = (uint32_t)pixels_of(s->size), offset = sizeof(learned);
    for (uint32_t i = 0; i < count; i++) {
        if (i % (PIECE / 2) == 0) camera_edge_state_get(offset + 2 * i, piece, PIECE);
        uint16_t word;
        __builtin_memcpy(&word, piece + 2 * (i % (PIECE / 2)), 2);
        s->known[i] = word >> 15;
        s->usual[i] = s->known[i] ? (float)(word & ~KNOWN) / SCENE_STEPS : 0;
    }
}

static uint32_t kept_bytes(extent e) { return (uint32_t)((sizeof(learned) + (size_t)pixels_of(e) * 2 + 3) / 4 * 4); }

static uint32_t lesson_bytes(extent e) {
    return (uint32_t)(sizeof(lesson) + (size_t)pixels_of(e) * sizeof(scene_modes));
}

void state_read_lesson(lesson *l, extent e) { read_all(kept_bytes(e), l, lesson_bytes(e)); }

/* Writes the scene behind the rest; returns the sum. */
static uint64_t write_scene(const scene *s, uint64_t sum) {
    uint32_t count = (uint32_t)pixels_of(s->size), at = 0, len = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t word = 0;
        if (scene_is_agreed(s, (int32_t)i)) word = (uint16_t)(KNOWN | whole(s->usual[i] * SCENE_STEPS + 0.5f, 0, KNOWN - 1));
        __builtin_memcpy(piece + len, &word, 2);
        len += 2;
        if (i + 1 == count)
            while (len % 4) piece[len++] = 0;
        if (len < PIECE && i + 1 < count) continue;
        sum = mixed(sum, piece, len);
        camera_edge_state_put((uint32_t)sizeof(learned) + at, piece, len);
        at += len, len = 0;
    }
    return sum;
}

void state_write(learned *l, const scene *s, const lesson *lesson) {
    for (uint32_t i = 0; i < sizeof MAGIC; i++) l->head.magic[i] = MAGIC[i];
    l->head.version = STATE_VERSION;
    l->head.bytes = kept_bytes(s->size);
    l->head.width = (uint16_t)s->size.width, l->head.height = (uint16_t)s->size.height;
    uint64_t sum = mixed(FIRST_SUM, (const uint8_t *)l + sizeof l->head, sizeof *l - sizeof l->head);
    l->head.checksum = write_scene(s, sum);
    camera_edge_state_put(0, (const uint8_t *)l, sizeof *l);
    if (lesson) camera_edge_state_put(l->head.bytes, (const uint8_t *)lesson, lesson_bytes(s->size));
}
