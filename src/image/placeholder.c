/* placeholder */ extern int ngff_room_image; 
