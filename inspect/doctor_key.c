/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_key.c - do both make one key of a file?  ftok(3) mixes the low bits of
 * its device and inode with the project id, and looks at no name and no content.
 */
#include <inttypes.h>
#include <string.h>

#include "doctor_rules.h"

static bool same_file(const struct key_file *key)
{
	return key->dev[0] == key->dev[1] && key->ino[0] == key->ino[1];
}

static void show_sides(struct doctor *d, struct finding *f, const struct party *a,
		       const struct party *b, const struct key_file *key)
{
	const struct party *const sides[] = { a, b };

	about(f, a, b);
	for (unsigned int i = 0; i < 2; i++) {
		if (key->found[i])
			add_evidence(d, f,
				     "%s: ftok gives 0x%08" PRIx32 "; %s is inode %" PRIu64
				     " of device %" PRIu64 ":%" PRIu64,
				     sides[i]->name, (uint32_t)key->key[i], key->path, key->ino[i],
				     key->dev[i] >> 8 & 0xfff, key->dev[i] & 0xff);
		else
			add_evidence(d, f, "%s: %s: %s", sides[i]->name, key->path,
				     strerror(key->error[i]));
	}
}

static const char *difference(const struct key_file *key)
{
	if (key->dev[0] != key->dev[1])
		return "it is on another device (each container's image has one of its own)";
	return "it is another file";
}

/* A file in the /dev/shm that both have. */
static void fix_key(struct doctor *d, struct finding *f, const struct party *a,
		    const struct party *b, const struct key_file *key)
{
	const char *slash = strrchr(key->path, '/');
	const char *name = slash ? slash + 1 : key->path;

	if (a->area != NOBODY && a->area == b->area) {
		add_fix(d, f, "touch %s",
			word(d,
			     memory_print(d->m, "/proc/%d/root/dev/shm/%s", (int)a->p->pid, name)));
		add_fix(d, f, "# in both programs: ftok(\"/dev/shm/%s\", %d)", name,
			key->project_id);
	} else {
		add_fix(d, f,
			"# mount one folder in both, and in both programs: ftok(\"/FOLDER/%s\", %d)",
			name, key->project_id);
	}
	f->fix_note = "The file must stay while anybody uses the key: one that is made anew has "
		      "another inode, and so another key.";
}

void judge_key(struct doctor *d, const struct party *a, const struct party *b,
	       const struct key_file *key)
{
	struct finding *f;

	if (!key->found[0] || !key->found[1]) {
		f = add_finding(d, FINDING_FTOK, SEVERITY_ERROR, "%s has no %s to make a key of",
				key->found[0] ? b->name : a->name, key->path);
	} else if (key->key[0] != key->key[1]) {
		f = add_finding(d, FINDING_FTOK, SEVERITY_ERROR,
				"%s and %s make different keys of %s: %s", a->name, b->name,
				key->path, difference(key));
	} else if (!same_file(key)) {
		f = add_finding(d, FINDING_FTOK, SEVERITY_WARNING,
				"%s and %s make one key of %s by chance: the files are two",
				a->name, b->name, key->path);
	} else {
		show_sides(d,
			   add_finding(d, FINDING_FTOK, SEVERITY_FINE,
				       "%s and %s make one key of %s", a->name, b->name, key->path),
			   a, b, key);
		return;
	}
	show_sides(d, f, a, b, key);
	fix_key(d, f, a, b, key);
}
